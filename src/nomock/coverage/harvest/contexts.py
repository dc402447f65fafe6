"""Which contexts a line ran in: coverage.py's data of the last covered run, read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nomock.coverage.harvest.folder import DATA_FILE
from nomock.errors import CoverageError


class Contexts:
    """The data of a covered run: its files, and for each line of a file the contexts it ran in.

    A context is a test's id, with the fault that was on, or "" for start-up and background:
    ``nomock.baggage.test_and_fault`` takes it apart.
    """

    def __init__(self, data_file: Path) -> None:
        from coverage import CoverageData  # slow to load, and needed by few

        if not data_file.is_file():
            raise CoverageError(
                "there is no covered run to look into",
                where=str(data_file),
                todo="make one: pytest --nomock-sidecar-coverage",
            )
        self._where = data_file
        self._data = CoverageData(basename=str(data_file))
        with self._readable():
            self._data.read()
            self.files = frozenset(map(Path, self._data.measured_files()))
            """The source files that a covered process ran, and those beside them that none did."""

    @classmethod
    def of(cls, data_dir: Path) -> Contexts:
        """Read the data in the folder that the spies write to; raise CoverageError without it."""
        return cls(data_dir / DATA_FILE)

    def all(self) -> frozenset[str]:
        """Return every context that any line ran in."""
        with self._readable():
            return frozenset(self._data.measured_contexts())

    def has_run(self, file: Path) -> bool:
        """Tell whether any line of a file ran."""
        with self._readable():
            # Most files are loaded at start-up: to look there first is a hundred times faster.
            self._data.set_query_context("")
            at_start = self._data.lines(str(file))
            self._data.set_query_contexts(None)
            return bool(at_start or self._data.lines(str(file)))

    def by_line(self, file: Path) -> Mapping[int, frozenset[str]]:
        """Return the contexts of each line that ran; nothing for a file that is not known."""
        with self._readable():
            found = self._data.contexts_by_lineno(str(file))
        return {line: frozenset(contexts) for line, contexts in found.items()}

    @contextmanager
    def _readable(self) -> Iterator[None]:
        from coverage.exceptions import CoverageException

        try:
            yield
        except CoverageException as error:
            raise CoverageError(
                "coverage.py cannot read its data",
                where=str(self._where),
                seen=str(error),
                todo="make it anew: pytest --nomock-sidecar-coverage",
            ) from error


def statements(file: Path) -> frozenset[int]:
    """Return the first line of each statement of a source file, by coverage.py's own reading.

    Raises CoverageError for a file that is not Python.
    """
    import coverage
    from coverage.exceptions import CoverageException

    try:
        _, found, excluded, _, _ = coverage.Coverage(data_file=None, config_file=False).analysis2(
            str(file)
        )
    except CoverageException as error:
        raise CoverageError(
            "coverage.py cannot read this source", where=str(file), seen=str(error)
        ) from error
    return frozenset((*found, *excluded))
