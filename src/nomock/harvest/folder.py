"""The folder that the spies write to, one file a process."""

from __future__ import annotations

import secrets
from pathlib import Path

from nomock.errors import CoverageError

DATA_FILE = "services.coverage"
RECORDS = "*.ndjson"


def new_run() -> str:
    """Return a name for a covered run.

    It has to be in the environment as ``NOMOCK_SPY_RUN`` when the stack is resolved and brought
    up: it is part of the spied services' configuration, so that these are recreated and their
    lines are those of this run alone.
    """
    return secrets.token_hex(4)


def prepare(data_dir: Path) -> None:
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
    except OSError as error:
        raise CoverageError(
            "the folder for the spies' records cannot be made ready",
            where=str(data_dir),
            seen=str(error),
            todo="remove it, as the user it belongs to, and try again",
        ) from error
