"""The pytest plugin: options, fixtures, and the hooks that tie a run to its stack.

Nothing heavy is imported here: every pytest run in an environment with nomock loads this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nomock.plugin import declared, options
from nomock.plugin.fixture_overrides import FixtureOverrides
from nomock.plugin.per_test import PerTest
from nomock.plugin.use import Use
from nomock.plugin.worker_crash import WorkerCrash

if TYPE_CHECKING:  # heavy; a run without a stack never needs them
    from nomock.adapters.playwright import Page
    from nomock.contracts.checks import ContractChecks
    from nomock.faults.checks.acknowledged import Acknowledged
    from nomock.faults.faults import Faults
    from nomock.ledger.lane import WorkerLane
    from nomock.ledger.ledger import Ledger
    from nomock.plugin.run import Run
    from nomock.stack import Postgres, Stack
    from nomock.traces import CurrentTrace


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add nomock's options; those that are settings, too, stand in docs/settings.md."""
    declared.add_all(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    """Take the short names of the options for ours where no plugin or conftest has them."""
    yield from options.spell_out(early_config, parser, args)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the objects that see whether this run uses a stack."""
    config.addinivalue_line(
        "markers", 'serial: run beside no other test; serial("stack"): beside none on its stack'
    )
    config.addinivalue_line(
        "markers",
        'lane(kind): what of the stack is a worker\'s own: "shared", "stack", "database"',
    )
    config.addinivalue_line(
        "markers", "reset: find the database as the run found it; reset(False): as it is"
    )
    config.addinivalue_line(
        "markers",
        "traced: in a run with --traces its trace is to be unbroken; traced(False): or not",
    )
    use = Use(config)
    config.pluginmanager.register(use.workers, "nomock-workers")
    config.pluginmanager.register(use, "nomock-use")
    config.pluginmanager.register(PerTest(use), "nomock-around")
    config.pluginmanager.register(FixtureOverrides(), "nomock-inputs")
    config.pluginmanager.register(WorkerCrash(use), "nomock-crashed")
    if options.any_given(config):
        use.begin()
    is_worker = hasattr(config, "workerinput")
    if not is_worker and (options.given(config, "live") or options.given(config, "events")):
        from nomock.plugin.live import Live

        config.pluginmanager.register(Live(config, use.begin()), "nomock-live")
    if job := options.given(config, "mutation-job"):
        from nomock.plugin.mutation import register as register_mutation

        register_mutation(use.begin(), job)
    if any(
        options.given(config, name) for name in ("affected", "affected-since", "sidecar-coverage")
    ):
        from nomock.plugin.affected import register

        register(use.begin())


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Say how many lanes ``-n auto`` makes, where the settings ask for lanes."""
    from nomock.plugin.lanes import usual_count

    return usual_count(config)


def _run(config: pytest.Config) -> Run:
    use: Use | None = config.pluginmanager.get_plugin("nomock-use")
    assert use is not None, "pytest_configure registered it"
    return use.begin()


@pytest.fixture(scope="session")
def compose_files(pytestconfig: pytest.Config) -> tuple[Path, ...]:
    """The compose files of the stack; override it for tests that want others."""
    return _run(pytestconfig).settings.files


@pytest.fixture(scope="session")
def compose_project(pytestconfig: pytest.Config) -> str | None:
    """The compose project's name, None for compose's own choice; override it for another."""
    return _run(pytestconfig).settings.project


@pytest.fixture(scope="session")
def readiness_probes(pytestconfig: pytest.Config) -> Mapping[str, str]:
    """The readiness probes by service that are not the default; override it to change them."""
    return _run(pytestconfig).settings.probes


@pytest.fixture(scope="session")
def stack(
    pytestconfig: pytest.Config,
    compose_files: tuple[Path, ...],
    compose_project: str | None,
    readiness_probes: Mapping[str, str],
) -> Iterator[Stack]:
    """The running stack, every service ready: ``stack["auth"].http.get("/health")``."""
    run = _run(pytestconfig)
    with run.stack_for(tuple(compose_files), compose_project, readiness_probes) as found:
        yield found


@pytest.fixture
def faults(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, stack: Stack
) -> Iterator[Faults]:
    """What a test breaks: ``with faults.latency("instances->postgres", latency_ms=800): …``."""
    from nomock.plugin.items import files_of

    with _run(pytestconfig).faults.of(stack).faults(files_of(request)) as found:
        yield found


@pytest.fixture
def trace(pytestconfig: pytest.Config, stack: Stack) -> CurrentTrace:
    """The test's trace: ``trace.expect("instances POST /instances").calls("postgres INSERT")``."""
    from nomock.errors import TraceBackendError

    try:
        return _run(pytestconfig).traces.current(stack)
    except TraceBackendError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture
def acknowledged(request: pytest.FixtureRequest) -> Iterator[Acknowledged]:
    """A book of the test's writes: ``acknowledged.send(key, lambda: …)``, at the end ``check``."""
    from nomock.faults.checks.acknowledged import Acknowledged
    from nomock.plugin.items import WAS_SKIPPED

    book = Acknowledged()
    yield book
    if not book.is_checked and not request.node.stash.get(WAS_SKIPPED, False):
        pytest.fail(
            f"acknowledged: {book}, never checked\n-> acknowledged.check(keys found)", False
        )


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config, stack: Stack) -> Ledger:
    """What tests make, and its undo: ``ledger.record("client", name, ledger.sql(…, name))``."""
    return _run(pytestconfig).ledgers.of(stack)


@pytest.fixture(scope="session")
def lane(pytestconfig: pytest.Config, stack: Stack) -> WorkerLane:
    """The worker's own part of the run: ``lane.name("client")`` is a name that nothing else has."""
    return _run(pytestconfig).ledgers.lane(stack)


@pytest.fixture(scope="session")
def browser_proxy(stack: Stack) -> Iterator[str]:
    """A browser's way to the stack: ``launch(proxy={"server": browser_proxy})``."""
    from nomock.plugin.browser import proxy_of

    with proxy_of(stack) as url:
        yield url


@pytest.fixture
def browser_page(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, browser_proxy: str
) -> Iterator[Page]:
    """A page of a real browser (Playwright's): ``browser_page.goto("http://web:8000/")``."""
    from nomock.plugin.browser import page_of

    with page_of(request, _run(pytestconfig).settings.browser, browser_proxy) as page:
        yield page


@pytest.fixture(scope="session")
def postgres(stack: Stack) -> Postgres:
    """The stack's database: ``with postgres.connect() as connection: …``."""
    return stack.postgres


@pytest.fixture
def contracts(pytestconfig: pytest.Config, stack: Stack) -> ContractChecks:
    """Whether services keep what they promise: ``contracts.openapi("instances")``."""
    from nomock.contracts.checks import ContractChecks

    return ContractChecks(stack, _run(pytestconfig).settings.state_dir)
