"""What ships in the wheel, for who has nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from places import ROOT


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files in the wheel, by their path."""
    folder: Path = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, folder], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as opened:
        return opened.namelist()


def below(folder: str, names: list[str]) -> set[str]:
    return {name.removeprefix(folder) for name in names if name.startswith(folder)}


def test_the_wheel_should_have_the_pages_and_not_what_makes_a_site_of_them(
    shipped: list[str],
) -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert "index.md" in pages
    assert below("nomock/docs/", shipped) == pages


@pytest.mark.parametrize(
    ("source", "packed"),
    [
        ("src/nomock", "nomock/"),
        ("coverage-spy", "nomock/coverage_spy/"),
        ("http-fault-proxy/httpfaults", "nomock/http_fault_proxy/httpfaults/"),
    ],
)
def test_the_wheel_should_have_all_that_runs(shipped: list[str], source: str, packed: str) -> None:
    files = {path.relative_to(ROOT / source) for path in (ROOT / source).rglob("*.py")}
    assert {path.as_posix() for path in files} <= below(packed, shipped)
