"""One pytest run and its stack: looked at for the header, made ready once a test needs it.

Under xdist the controller makes it ready after the workers have collected and before any of
them runs a test; the workers attach. Which of them needs a stack they say by a file, because a
worker cannot send the controller anything of its own before its first test.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from nomock.config import Settings
from nomock.errors import ConfigError, NomockError, NotHealedError
from nomock.loading import load
from nomock.paths import absolute, standing
from nomock.plugin.breaking import Breaking
from nomock.plugin.history import History
from nomock.plugin.items import is_serial, needs_stack_of_run
from nomock.plugin.options import given
from nomock.progress import Progress
from nomock.project import make_state_dir
from nomock.stack import Stack

EXIT_NO_STACK = 6
"""pytest's exit code without a stack, or with lines of the app missing; its own end at 5."""

_OPTIONS = {
    "stack": "stack",
    "files": "stack-file",
    "project": "stack-project",
    "timeout_s": "stack-timeout",
}


class Run:
    """The state of one pytest process, and the hooks that need it."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.is_worker = hasattr(config, "workerinput")
        self.history = History(settings)
        self._tried: Stack | None = None
        self._prepared = False
        self._announced = False
        self._coverage_report: list[str] = []
        self._breaking: dict[Stack, Breaking] = {}
        self.engine_is_gone = False
        """Whether the engine was found to be gone while tests ran."""
        self._not_healed: list[str] = []
        self.harvest_is_whole = False
        """Whether this run has collected what its tests ran, of every covered service."""

    @classmethod
    def of(cls, config: pytest.Config) -> Run:
        """Read the settings; a wrong one ends pytest with its usage error."""
        try:
            settings = _load(config, closer=False)
            if given(config, "sidecar-coverage"):
                from nomock.plugin.coverage import spied

                settings = spied(settings, begin=not hasattr(config, "workerinput"))
        except NomockError as error:
            raise pytest.UsageError(str(error)) from error
        return cls(config, settings)

    def look_closer(self) -> None:
        """A test needs a stack: look also where a ``.env`` may name its files."""
        if not self.settings.files:
            self.settings = _load(self.config, closer=True)

    @cached_property
    def stack(self) -> Stack:
        """The stack of the settings, not made ready by this."""
        stack = Stack.of(self.settings)
        self.breaking(stack)
        return stack

    def breaking(self, stack: Stack) -> Breaking:
        """Return what it takes to break a stack; from then on its requests pass the gate."""
        if stack not in self._breaking:
            if self.is_worker:  # all workers are one run, and the controller stands for it
                stack.run = self.config.workerinput["nomock_run"]  # type: ignore[attr-defined]
            on_shared = given(self.config, "faults-on-shared")
            self._breaking[stack] = Breaking(stack, on_shared=on_shared, warn=self._warn)
        return self._breaking[stack]

    def let_go(self) -> None:
        """A test is over: it uses nothing any more."""
        for breaking in self._breaking.values():
            breaking.gate.let_go()

    @cached_property
    def progress(self) -> Progress:
        """Progress on pytest's own terminal."""
        terminal: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None:  # an xdist worker has none
            return Progress(lambda text: None, live_width=None)
        writer = self.config.get_terminal_writer()

        def write(text: str) -> None:
            terminal.ensure_newline()  # the dots of the tests end without one
            if writer.width_of_current_line and not text.startswith("\r"):
                writer.line()  # and under xdist pytest does not know
            writer.write(text, flush=True)

        # Not by its colours, which many CI systems force on where no line can be rewritten.
        live = terminal.isatty and os.environ.get("TERM") != "dumb"
        return Progress(write, live_width=writer.fullwidth if live else None)

    @contextmanager
    def stack_for(
        self, files: tuple[Path, ...], project: str | None, probes: Mapping[str, str]
    ) -> Iterator[Stack]:
        """Give the stack of the fixtures' inputs: the run's own, or another one made ready here."""
        files = tuple(absolute(self.config.rootpath / file) for file in files)
        settings = replace(self.settings, files=files, project=project, probes=probes)
        if settings == self.settings:
            if not self._announced:
                self._prepare()  # a test may ask for the fixture by its name, while it runs
            yield self.stack
            return
        if files != self.settings.files:  # these are named to compose, which then finds none
            root = files[0].parent if files else self.settings.root
            settings = replace(settings, found=None, root=root, folder=root)
        other = Stack.of(settings)
        self.breaking(other)
        # Of the same project: there for the other tests, too.
        is_runs_own = other.is_used_by_run()
        if is_runs_own:
            other.settings = replace(other.settings, stack="attach")
        try:
            self.breaking(other).heal_left(self.progress.show)
            if is_runs_own and (differences := other.differences()):
                raise ConfigError(
                    "other tests of this run use it, and it would have to be changed for this one",
                    where=f"stack {other.name}",
                    seen="\n".join(f"{name}: {why}" for name, why in differences.items()),
                    todo="override compose_project, too: a stack of its own has a name of its own",
                )
            other.prepare(who=_command())
            yield other
        finally:
            if other.settings.stack == "own":
                other.down()
            self._breaking.pop(other).close()
            other.close()

    def pytest_report_header(self) -> list[str]:
        """Say which stack there is, what each service runs, and which settings are not default."""
        if self.is_worker or not self.settings.files:
            return []
        from nomock.plugin.header import header

        return header(self.settings, lambda: self.stack)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose by --nomock-serial, and put serial tests last where tests run in parallel."""
        wanted = given(self.config, "serial")
        if wanted:
            kept = [item for item in items if is_serial(item) == (wanted == "only")]
            dropped = [item for item in items if is_serial(item) != (wanted == "only")]
            self.config.hook.pytest_deselected(items=dropped)
            items[:] = kept
        if self.is_worker:
            items.sort(key=is_serial)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """In a worker: tell the controller that a test needs the stack."""
        if self.is_worker and any(map(needs_stack_of_run, session.items)):
            self._announced = True
            self.look_closer()
            make_state_dir(self.settings.state_dir)
            # xdist gives a worker's config this attribute, which pytest's type does not have.
            Path(self.config.workerinput["nomock_needed"]).touch()  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """In the controller: tell a worker which file says that the stack is needed."""
        node.workerinput["nomock_needed"] = str(self._needed)
        node.workerinput["nomock_run"] = os.getpid()

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """In the controller: make the stack ready before the first test is handed out."""
        if self._needed.exists():
            self._needed.unlink()
            self._prepare_or_exit()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Without xdist: make the stack ready before the first test."""
        if session.config.option.collectonly or self.is_worker or session.testsfailed:
            return
        if any(map(needs_stack_of_run, session.items)):
            self._prepare_or_exit()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed, for `nomock diagnose`."""
        self.history.add(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Harvest coverage, take an owned stack down, let it go."""
        for breaking in self._breaking.values():
            breaking.close()
        if self.is_worker:
            if self._tried:
                self._tried.close()
            return
        try:
            if self._prepared and given(self.config, "sidecar-coverage"):
                from nomock.plugin.coverage import harvested

                self._coverage_report, self.harvest_is_whole = harvested(
                    self.settings,
                    self.stack,
                    allow_unmapped=given(self.config, "allow-unmapped"),
                )
                if not self.harvest_is_whole and session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = EXIT_NO_STACK
            is_own = self.settings.stack == "own" and not self.engine_is_gone
            if self._tried and self._tried.touched and is_own:
                self._tried.down(progress=self.progress.show, waiting=self.progress.show_waiting)
                self.progress.end()
        except NomockError as error:
            if session.exitstatus == pytest.ExitCode.OK:  # a red test says more
                session.exitstatus = EXIT_NO_STACK
            self._coverage_report = [str(error)]
        finally:
            if self._tried:
                self.history.write(session.exitstatus, _command())
                self._tried.close()
            if "_needed" in self.__dict__:
                self._needed.unlink(missing_ok=True)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print what is still broken, and the table of coverage."""
        if self._not_healed:
            terminalreporter.section("faults that are not healed")
            terminalreporter.write_line("\n".join(self._not_healed))
        if self._coverage_report:
            terminalreporter.section("sidecar coverage")
            for line in self._coverage_report:
                terminalreporter.write_line(line)

    @cached_property
    def _needed(self) -> Path:
        return self.settings.state_dir / f"needed-{os.getpid()}"

    def _warn(self, error: NotHealedError) -> None:
        """Say once, now and at the end, what earlier runs left broken: it ends no run."""
        if str(error) not in self._not_healed:
            self._not_healed.append(str(error))
            self.progress.say(str(error))

    def _prepare_or_exit(self) -> None:
        try:
            self.look_closer()
            self._prepare()
        except NomockError as error:
            self.progress.end()
            self.history.add_start(error)
            pytest.exit(f"the stack is not ready\n{error}", returncode=EXIT_NO_STACK)

    def _prepare(self) -> None:
        if self._prepared:
            return
        self._tried = self.stack
        if given(self.config, "sidecar-coverage"):
            from nomock.plugin.coverage import look_at_overlay

            for note in look_at_overlay(self.settings, self.stack):
                self.progress.say(note)
        # Before anybody waits for a service that a killed run left paused.
        self.breaking(self.stack).heal_left(self.progress.show)
        self.stack.prepare(
            self.progress.show,
            waiting=self.progress.show_waiting,
            warn=self.progress.show_lasting,
            who=_command(),
            before_start=self._before_start,
        )
        self.progress.end()
        if given(self.config, "sidecar-coverage"):
            from nomock.plugin.coverage import check

            for note in check(self.settings, self.stack):
                self.progress.say(note)
            self.stack.look_again()  # that took its time
        self._prepared = True

    def _before_start(self) -> None:
        if given(self.config, "sidecar-coverage"):
            from nomock.plugin.coverage import make_ready

            make_ready(self.settings, self.stack)


def _load(config: pytest.Config, *, closer: bool) -> Settings:
    options = {name: given(config, option) for name, option in _OPTIONS.items()}
    here = standing(config.invocation_params.dir)
    arguments = [*config.args, str(config.rootpath)]
    return load(here, options, arguments=arguments, closer=closer)


def _command() -> str:
    return " ".join(["pytest", *sys.argv[1:]])
