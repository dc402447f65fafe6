"""The house: a module imports only from layers strictly below its own, and never in a circle."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

ROOT = ROOT
SRC = ROOT / "src" / "nomock"
SPY = ROOT / "coverage-spy" / "nomock_spy"

# From the bottom to the top. A room is a module or a package; those of one layer do not know each
# other. Which layer a module is of says the longest name here that it begins with.
LAYERS = (
    ("cleanup.rules",),  # values of settings
    ("errors", "pages", "places", "converters"),  # everybody raises them; a user's folders
    # values, no dependency
    ("config", "baggage", "environment", "moments", "paths", "polling", "progress", "statefolder"),
    # what a run that repeats another one, or is one of a hunt, is told; names of test data
    ("replaying", "hunting", "names"),
    ("filelock", "tracecontext"),
    ("target",),  # where the services run: the interface of an engine and of a cluster
    ("adapters",),  # what others wrote, each behind one module
    ("project", "coverage.python_startup"),  # what there should be
    ("loading",),  # which project it is
    # what each measurement of the tests leaves; how tests ended
    ("quality.left", "quality.results", "quality.pressure", "quality.names", "quality.page"),
    ("quality.stability",),  # whether tests end alike on the same files
    # concepts, each on its own
    (
        "readiness",
        "evidence",
        "database",
        "traces",
        "coverage.harvest",
        "images",
        "coverage.overlay",
    ),
    # what a harvest tells of a change; what is mounted into services that know no traces
    # and what copies records that are in pods
    # and what is kept of mutants
    ("coverage.affected", "traces.overlay", "coverage.following", "mutation"),
    # a compose project as objects of Kubernetes, and whether these are valid
    ("sandbox.extra",),  # whether there are the packages for it
    ("sandbox.render", "sandbox.validate", "sandbox.equipment", "sandbox.phases"),
    (
        "sandbox.causes",
        "sandbox.current",
        "sandbox.outside",
    ),  # why it is not ready; what it has in no namespace
    ("sandbox.workloads",),  # whether it is
    ("sandbox.image_facts",),  # what is known of an image and Kubernetes does not read
    ("stack",),  # the concepts, brought together
    (
        "coverage.automatic",
        "coverage.session",
        "traces.session",
        "lanes",
        "leaks",
        "properties",
    ),  # the stack with the spy or traces on; lanes; generated examples on it
    ("browser",),  # a browser's requests to the stack
    ("ledger",),  # what tests make, and how it is undone
    ("cleanup",),  # what tests left, in any of these
    ("doctor", "contracts"),  # what of a project will make trouble; what does not fit in it
    ("diagnosis", "sandbox.node"),  # why tests failed, by all that is known; a local Kubernetes
    # how records come here; what of the overlays a promotion takes along
    ("coverage.records", "sandbox.equipping", "sandbox.evidence", "parity", "mutation.live"),
    # by the cluster's API or by Argo CD; where images are pushed to
    ("sandbox.ways", "sandbox.pushing", "sandbox.endpoint", "sandbox.sandboxes"),
    ("sandbox.registry",),
    ("sandbox.promotion",),  # from a compose project to what is live
    ("sandbox.making",),  # a sandbox that is empty
    # what is done to a stack, and what a test asks of it meanwhile
    ("faults.topology", "faults.watchdog"),  # what a request runs through; what guards a fault
    ("faults.locking", "faults.stack_control"),  # who may break what; what a fault breaks
    ("faults.fault", "faults.checks"),  # the interface of a kind
    ("faults.journal", "faults.none", "faults.service_fault"),
    ("faults.edge", "faults.http", "faults.packets", "faults.database"),  # the kinds
    ("faults.service", "faults.schedule", "faults.left"),
    ("faults.overlay",),  # the edges of a project that has no Toxiproxy
    ("faults.active",),  # a fault as a block
    ("faults.schedule_run", "faults.generate", "faults.methods", "faults.slow_network"),
    ("faults.faults",),  # the fixture
    ("faults.janitor", "faults.usage"),  # what killed runs left; what tests have used
    ("faults.aside",),
    ("quality.risk",),  # what to test next
    ("quality.sections",),  # what each metric says on the page
    ("init", "agents"),  # from nothing to a first test; what programs ask
    ("plugin", "cli"),  # what users touch; they never import each other
)

# The rooms of the spy likewise: it is loaded into the processes of services.
SPYS_LAYERS = (
    ("hints", "files", "baggage"),
    ("guard", "quoting", "contexts", "standins", "launchers"),
    ("appfiles", "appmodules", "audit", "branches"),
    ("settings", "imports"),
    ("recordfile",),
    ("writer",),  # the file of a process
    ("cores",),  # how it is learned which lines run
    ("activities",),  # a request, a job
    # what calls these: each is loaded when the package that it patches has been
    ("consumers", "executors", "greenlets", "threads", "clients", "children", "jobs"),
    ("mutants",),  # what a run with mutants does to the app's functions
    ("popen", "feeders", "servers"),
    ("queues",),
)

# A dependency's errors and quirks stop at the only module that knows it.
OWNERS = {
    "python_on_whales": "adapters.compose",
    "psycopg": "adapters.postgres",
    "httpx": "adapters.http",
    "httpx2": "adapters.kubernetes",  # lightkube's
    "toxiproxy": "adapters.toxiproxy",
    "requests": "adapters.toxiproxy",  # its transport, and its errors
    "kubernetes_validate": "sandbox.validate",
    "jsonschema": "sandbox.validate",
    "referencing": "sandbox.validate",
    "mcp": "agents.server",
    "tomlkit": "init.files.pyproject",
    "playwright": "adapters.playwright",  # an extra: imported when a test asks for a page
    # Extras: nobody else may need them.
    "hypothesis": ("adapters.hypothesis", "adapters.openapi"),
    "schemathesis": "adapters.openapi",
    "sqlalchemy": "adapters.sqlalchemy",  # whose models a test hands over
    "redis": "adapters.redis",  # an extra: imported when a rule needs it
    "coverage": "coverage.harvest",
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


def room_of(module: str) -> str:
    """Return the room of LAYERS that a module, named relative to nomock, is in or is; or ""."""
    rooms = [room for layer in LAYERS for room in layer if f"{module}.".startswith(f"{room}.")]
    return max(rooms, key=len, default="")


def layer_of(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


def offences(src: Path) -> Iterator[str]:
    """Yield each import that goes up or sideways, or past an adapter."""
    known = modules(src)
    for module, path in known.items():
        own = room_of(module)
        for line, name in imports(path.read_text(encoding="utf-8")):
            where = f"nomock.{module} line {line} imports {name}"
            top, _, rest = name.partition(".")
            if top == "nomock":
                other = room_of(rest)
                if own and other and other != own and layer_of(other) >= layer_of(own):
                    yield f"{where}: {other} is not below {own}"
            elif top in OWNERS and not f"{module}.".startswith(owners := _owners(top)):
                yield f"{where}: only {' and '.join(owners).removesuffix('.')} does"


def _owners(package: str) -> tuple[str, ...]:
    """Return the beginnings of the modules that may import a package."""
    owners = OWNERS[package]
    return tuple(f"{owner}." for owner in ([owners] if isinstance(owners, str) else owners))


def circles(src: Path, package: str) -> list[set[str]]:
    """Return the sets of files that import one another, on whichever way round."""
    known = modules(src)
    uses: dict[str, set[str]] = {}
    for module, path in known.items():
        uses[module] = set()
        for _, name in imports(path.read_text(encoding="utf-8")):
            top, _, used = name.partition(".")
            while used and used not in known:
                used = used.rpartition(".")[0]
            if top == package and used not in ("", module):
                uses[module].add(used)
    found: list[set[str]] = []
    while uses:
        # Whoever uses nobody, or is used by nobody, of those that are left is in no circle.
        used_by_some = set().union(*uses.values())
        ends = {m for m in uses if not uses[m] & uses.keys() or m not in used_by_some}
        if not ends:
            return [*found, set(uses)]
        uses = {m: used - ends for m, used in uses.items() if m not in ends}
    return found


def test_every_import_should_go_downward_when_it_is_between_rooms() -> None:
    assert list(offences(SRC)) == []


@pytest.mark.parametrize("source", [SRC, SPY], ids=lambda source: source.name)
def test_no_circle_should_be_found_when_the_imports_of_all_files_are_followed(source: Path) -> None:
    assert circles(source, source.name) == []


def test_the_spy_should_need_only_the_standard_library_when_it_imports() -> None:
    named = {
        name.partition(".")[0]
        for path in SPY.rglob("*.py")
        for _, name in imports(path.read_text(encoding="utf-8"))
    }
    assert named - sys.stdlib_module_names == {"nomock_spy"}


def test_an_import_should_go_downward_when_it_is_between_rooms_of_the_spy() -> None:
    rooms = {room: number for number, layer in enumerate(SPYS_LAYERS) for room in layer}
    for module, path in modules(SPY).items():
        own = module.partition(".")[0]
        for line, name in imports(path.read_text(encoding="utf-8")):
            top, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if top == "nomock_spy" and own and other not in ("", own):
                assert rooms[other] < rooms[own], f"nomock_spy.{module} line {line}: {name}"


def test_every_module_should_have_a_layer_when_it_is_no_bare_package() -> None:
    packages = {"", "coverage", "faults", "quality", "sandbox"}  # their rooms have one each
    assert [module for module in modules(SRC) if not room_of(module)] == sorted(packages)


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
            "faults.fault",
            "from nomock.faults.edge.latency import Latency",
            "nomock.faults.fault line 1 imports nomock.faults.edge.latency.Latency: "
            "faults.edge is not below faults.fault",
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
    ids=[
        *("upward", "sideways", "for types only", "inside a function", "inside a package"),
        *("past", "beside"),
    ],
)
def test_an_import_should_be_named_when_it_breaks_the_order(
    tmp_path: Path, module: str, text: str, offence: str
) -> None:
    path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert list(offences(tmp_path)) == [offence]


def test_a_circle_should_be_found_when_its_imports_stand_in_functions_or_for_types_alone(
    tmp_path: Path,
) -> None:
    for name, text in {
        "__init__": "from shop.above import x",
        "above": "from shop.one import a",
        "one": "def f():\n    from shop import two",
        "two": "if TYPE_CHECKING:\n    from shop.three.part import B",
        "three/__init__": "",
        "three/part": "import shop.one",
        "below": "",
    }.items():
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    assert circles(tmp_path, "shop") == [{"one", "two", "three.part"}]
