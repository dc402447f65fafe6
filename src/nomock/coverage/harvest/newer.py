"""Files of a service that this Python cannot parse, since the service's Python is a newer one.

coverage.py reads the sources with the Python that runs it, so that they have no lines here.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from nomock.coverage.harvest.records import Process, SourceFile
from nomock.coverage.harvest.services import ServiceSource
from nomock.coverage.harvest.sources import source_files

Version = tuple[int, int]


def too_new(
    processes: Iterable[Process],
    services: Mapping[str, ServiceSource],
    ours: Version = sys.version_info[:2],
) -> Iterator[str]:
    """Yield a note for each file that was loaded by now, runs in a newer Python and fails here."""
    files: dict[tuple[str, Version], set[SourceFile]] = defaultdict(set)
    for process in processes:
        version = _version(process.python)
        if version > ours and process.service in services:
            files[process.service, version] |= process.app_files()
    for (service, (major, minor)), loaded in sorted(files.items()):
        for path in sorted(_here(services[service], loaded)):
            if error := _syntax_error(path):
                yield (
                    f"note: {service}: {path}: {error}; this is Python {ours[0]}.{ours[1]}, the "
                    f"service's is {major}.{minor}. The report will be without this file, unless "
                    f"pytest is run by Python {major}.{minor}: uv run --python {major}.{minor} "
                    f"pytest …; or the code keeps to the syntax of {ours[0]}.{ours[1]}"
                )


def _version(text: str) -> Version:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _here(source: ServiceSource, files: Iterable[SourceFile]) -> set[Path]:
    """Return the files of this machine that may be those of the container, by name and size."""
    wanted = {(PurePosixPath(file.path).name, file.size) for file in files}
    mounted = {
        folder.joinpath(file.path.removeprefix(target).lstrip("/"))
        for file in files
        for target, folder in source.mounts.items()
        if f"{file.path}/".startswith(f"{target}/")
    }
    built = {path for folder in source.folders for path in source_files(folder)}
    return {p for p in mounted | built if p.is_file() and (p.name, p.stat().st_size) in wanted}


def _syntax_error(path: Path) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(path.read_bytes(), path)
    except SyntaxError as error:
        return f"{error.msg} (line {error.lineno})"
    except (OSError, ValueError, RecursionError, MemoryError):
        pass
    return ""
