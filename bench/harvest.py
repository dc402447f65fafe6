"""How long a harvest takes, and how much memory: 1,000 tests, each in 200 files of 5 services.

Figure (issue 4): under 10 s and under 500 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

SERVICES = 5


def main() -> None:
    """Make the data, harvest it in a process of its own, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--lines", type=int, default=200, help="statements of a file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--branches", action="store_true")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        size_bytes = make(Path(folder), chosen)
        print(
            f"{chosen.tests} tests x {chosen.files} files of {chosen.lines} statements, "
            f"a third of them in each test: {size_bytes / 1e6:.0f} MB of records"
        )
        for _ in range(chosen.rounds):
            again = [sys.executable, __file__, "--measure", folder]
            done = subprocess.run(again, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout)
            print(
                f"  harvest {found['wall_s']:5.2f} s  CPU {found['cpu_s']:5.2f} s"
                f"  peak {found['peak_mb']:4.0f} MB"
            )


def make(folder: Path, chosen: argparse.Namespace) -> int:
    """Write the sources and a process's records of each service; return the records' size."""
    dice = random.Random(4)
    data = folder / "data"
    data.mkdir()
    for service in range(SERVICES):
        name = f"service{service}"
        package = folder / name / name
        package.mkdir(parents=True)
        header = {"v": 3, "core": "sys.monitoring", "branches": chosen.branches, "service": name}
        header |= {"run": "r", "python": "3.13.5", "host": "h", "pid": 1, "unsupported": ""}
        records: list[dict[str, object]] = [header]
        for number in range(chosen.files // SERVICES):
            text = "".join(source(chosen.lines, number))
            (package / f"module{number}.py").write_text(text, encoding="utf-8")
            path = f"/app/{name}/module{number}.py"
            content = {"size": len(text), "crc32": crc32(text.encode())}
            records.append({"file": number, "path": path, **content})
        for test in range(chosen.tests):
            context = {"context": test + 1, "test": f"tests/test_it.py::test_{test}", "fault": ""}
            ran = {
                str(number): sorted(dice.sample(range(1, chosen.lines + 1), chosen.lines // 3))
                for number in range(chosen.files // SERVICES)
            }
            lines = {number: f"{sum(1 << n for n in its):x}" for number, its in ran.items()}
            what: dict[str, object] = {"in": test + 1, "at": 1.0 + test, "lines": lines}
            if chosen.branches:
                what["arcs"] = {
                    n: [[line, line + 1] for line in its[::5]] for n, its in ran.items()
                }
            records += [context, what]
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        (data / f"{name}.r.h.1.ab.ndjson").write_text(text, encoding="utf-8")
    return sum(path.stat().st_size for path in data.iterdir())


def source(statements: int, number: int) -> Iterator[str]:
    """Yield the lines of a module: functions of ten statements each, with a branch."""
    for line in range(1, statements + 1):
        match line % 10:
            case 1:
                yield f"def function_{number}_{line}(value):\n"
            case 5:
                yield "    if value > 5:\n"
            case 6:
                yield "        value = 0\n"
            case _:
                yield f"    value = value + {line}\n"


def measure(folder: Path) -> dict[str, float]:
    """Harvest in this process; what it imports for it counts too."""
    from nomock.coverage.harvest import ServiceSource, harvest

    services = {
        path.name: ServiceSource(path.name, (path,)) for path in sorted(folder.glob("service*"))
    }
    began, began_cpu = perf_counter(), process_time()
    harvest(folder / "data", services)
    wall_s, cpu_s = perf_counter() - began, process_time() - began_cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb}


if __name__ == "__main__":
    main()
