"""The folder that the spies write to, one file a process, and the run that it belongs to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from nomock.coverage.harvest.reading import failure_of, header_of, header_of_name, process_of
from nomock.coverage.harvest.records import Process
from nomock.errors import CoverageError

DATA_FILE = "services.coverage"
RUN_FILE = "run"
RECORDS = "*.ndjson"


@dataclass(frozen=True)
class Found:
    """What lies in the folder."""

    processes: list[Process]
    damaged: int
    """Records that could not be read, those of the processes included."""
    others: int
    """Processes of other runs, left out."""


def new_run() -> str:
    """Return a name for a covered run.

    It has to be in the environment as ``NOMOCK_SPY_RUN`` when the stack is resolved and brought
    up: it is part of the spied services' configuration, so that these are recreated and their
    lines are those of this run alone.
    """
    return secrets.token_hex(4)


def prepare(data_dir: Path, run: str = "") -> None:
    """Make the folder ready for a new run, while no other run uses the stack.

    What earlier runs wrote is removed; a process of theirs that is still there writes to a file
    without a name, or to one that says the old run and is not read.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # The services write as users that this machine need not have.
        data_dir.chmod(0o777)
        for old in (*data_dir.glob(RECORDS), *data_dir.glob(f"{DATA_FILE}*")):
            old.unlink(missing_ok=True)
        (data_dir / RUN_FILE).write_text(f"{run}\n", encoding="utf-8")
    except OSError as error:
        raise CoverageError(
            "the folder for the spies' records cannot be made ready",
            where=str(data_dir),
            seen=str(error),
            todo="free space there, or remove it as the user it belongs to, and try again",
        ) from error


def read_all(data_dir: Path, run: str | None = None, *, since_s: float | None = None) -> Found:
    """Read the records of all processes, or of those that belong to a run.

    Raises CoverageError where a file cannot be opened, or is of another version.
    """
    processes, damaged, others = [], 0, 0
    for path in sorted(data_dir.glob(RECORDS)):
        try:
            with path.open("rb") as lines:
                first = next(lines, b"")
                header = header_of(first) or header_of_name(path.name)
                if header is None:
                    damaged += bool(first)  # empty: it was killed before it wrote a byte
                elif run is not None and header["run"] != run:
                    others += 1
                else:
                    process = process_of(header, lines, where=str(path), since_s=since_s)
                    process.gave_up = failure_of(path.name)
                    damaged += process.damaged
                    processes.append(process)
        except FileNotFoundError:  # a new run began
            continue
        except OSError as error:
            raise CoverageError(
                "the records of a spy cannot be read", where=str(path), seen=str(error)
            ) from error
    return Found(processes, damaged, others)
