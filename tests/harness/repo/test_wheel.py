"""What ships in the wheel, for who has nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from interpreters import VERSIONS, interpreter
from places import ROOT
from tiny import LISTENS, Tiny, server

# Of the extras: who has them not, needs no module that imports them.
EXTRAS = {
    "httpx2",
    "hypothesis",
    "jsonschema",
    "kubernetes_validate",
    "lightkube",
    "mcp",
    "playwright",
    "schemathesis",
    "sqlalchemy",  # of no extra: who has models of it hands them over
    "yaml",
}
# Programs that run in containers, when they are imported, too.
PROGRAMS = ("__main__", ".inside", ".look", ".collect", ".halting_program")
IMPORTS_ALL = f"""
import importlib, pkgutil, sys, nomock
count = 0
for found in pkgutil.walk_packages(nomock.__path__, "nomock."):
    if not found.name.endswith({PROGRAMS}):
        try:
            importlib.import_module(found.name)
            count += 1
        except (ModuleNotFoundError, nomock.NomockError) as error:
            missing = error.__cause__ or error
            assert missing.name.partition(".")[0] in {EXTRAS}, (found.name, missing)
assert count > 300, count
print(sys.version_info[:2], "imported")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built of this checkout."""
    folder: Path = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, folder], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> list[str]:
    """The files in the wheel, by their path."""
    with ZipFile(wheel) as opened:
        return opened.namelist()


def below(folder: str, names: list[str]) -> set[str]:
    return {name.removeprefix(folder) for name in names if name.startswith(folder)}


def test_the_wheel_should_have_only_the_pages_of_the_docs_when_it_is_built(
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
def test_the_wheel_should_have_each_module_when_its_package_is_shipped(
    shipped: list[str], source: str, packed: str
) -> None:
    files = {path.relative_to(ROOT / source) for path in (ROOT / source).rglob("*.py")}
    assert {path.as_posix() for path in files} <= below(packed, shipped)


@pytest.mark.parametrize(
    "version", [VERSIONS[0], *(pytest.param(v, marks=pytest.mark.slow) for v in VERSIONS[1:])]
)
def test_the_wheel_should_run_a_test_on_a_stack_when_any_of_the_pythons_has_it(
    version: str, wheel: Path, tiny: Tiny, tmp_path: Path
) -> None:
    python = interpreter(version, wheel, tmp_path / "environment", tiny.path)
    tuple_ = version.replace(".", ", ")
    assert python("-c", IMPORTS_ALL) == f"({tuple_}) imported\n"
    assert "usage: nomock" in python("-m", "nomock.cli", "--help")
    tiny.compose(web=server(healthcheck=LISTENS))
    tiny.tests("""
        def test_web(stack):
            assert stack["web"].http.get("/").status_code == 200
    """)
    assert "1 passed" in python("-m", "pytest", "-p", "no:cacheprovider", "test_tiny.py")
