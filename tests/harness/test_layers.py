"""The house: a module imports only from layers strictly below its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "nomock"

# From the bottom to the top. The packages of one layer do not know each other; inside a package
# everything may import everything.
LAYERS = (
    ("errors", "pages", "places"),  # everybody raises them; the docs; a user's folders
    # values, no dependency
    ("config", "context", "environment", "moments", "paths", "progress", "statefolder"),
    ("adapters",),  # what others wrote, each behind one module
    ("project", "runlock", "command"),  # what there should be, and who may change it
    ("loading",),  # which project it is
    # concepts, each on its own
    ("readiness", "evidence", "harvest", "images", "leftovers", "overlay"),
    ("affected",),  # what a harvest tells of a change
    ("stack",),  # the concepts, brought together
    ("spied", "faults"),  # the stack with the spy on, and what is done to it
    ("plugin", "cli"),  # what users touch; they never import each other
)

# A dependency's errors and quirks stop at the only module that knows it.
OWNERS = {
    "python_on_whales": "adapters.compose",
    "psycopg": "adapters.postgres",
    "httpx": "adapters.http",
    "toxiproxy": "adapters.toxiproxy",
    "requests": "adapters.toxiproxy",  # its transport, and its errors
    "hypothesis": "faults.strategy",  # an extra: nobody else may need it
    "coverage": "harvest",
    "pytest": "plugin",
    "xdist": "plugin",
    "_pytest": "plugin",
}


def modules(src: Path) -> dict[str, Path]:
    """Return module name, relative to nomock -> file; nomock itself is ""."""
    found = {}
    for path in sorted(src.rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and full name of each import, those under TYPE_CHECKING and in functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides its layer"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def layer_of(package: str) -> int:
    for number, packages in enumerate(LAYERS):
        if package in packages:
            return number
    raise AssertionError(f"nomock.{package} has no layer: add it to LAYERS, and to the design")


def offences(src: Path) -> Iterator[str]:
    """Yield each import that goes up or sideways, or past an adapter."""
    for module, path in modules(src).items():
        own = module.split(".")[0]
        for line, name in imports(path.read_text(encoding="utf-8")):
            where = f"nomock.{module} line {line} imports {name}"
            top, _, rest = name.partition(".")
            if top == "nomock":
                other = rest.split(".")[0]
                if other and own and other != own and layer_of(other) >= layer_of(own):
                    yield f"{where}: {other} is not below {own}"
            elif top in OWNERS and not f"{module}.".startswith(OWNERS[top] + "."):
                yield f"{where}: only {OWNERS[top]} does"


def test_every_import_should_go_downward() -> None:
    assert list(offences(SRC)) == []


def test_every_module_should_have_a_layer() -> None:
    for module in modules(SRC):
        if module:
            layer_of(module.split(".")[0])


@pytest.mark.parametrize(
    ("module", "text", "offence"),
    [
        (
            "errors",
            "import os\nfrom nomock.config import load",
            "nomock.errors line 2 imports nomock.config.load: config is not below errors",
        ),
        (
            "cli.main",
            "from nomock.plugin.run import Run",
            "nomock.cli.main line 1 imports nomock.plugin.run.Run: plugin is not below cli",
        ),
        (
            "stack.service",
            "if TYPE_CHECKING:\n    from nomock import plugin",
            "nomock.stack.service line 2 imports nomock.plugin: plugin is not below stack",
        ),
        (
            "evidence",
            "def f():\n    import nomock.readiness",
            "nomock.evidence line 2 imports nomock.readiness: readiness is not below evidence",
        ),
        (
            "stack.database",
            "import psycopg.rows",
            "nomock.stack.database line 1 imports psycopg.rows: only adapters.postgres does",
        ),
        (
            "adapters.postgresql",
            "import psycopg",
            "nomock.adapters.postgresql line 1 imports psycopg: only adapters.postgres does",
        ),
    ],
    ids=["upward", "sideways", "for types only", "inside a function", "past", "beside"],
)
def test_an_import_should_be_named_when_it_breaks_the_order(
    tmp_path: Path, module: str, text: str, offence: str
) -> None:
    path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert list(offences(tmp_path)) == [offence]
