"""Writes the evidence of tests, in the process that ran them, and the page of a run at its end."""

from __future__ import annotations

import os
import platform
from collections import deque
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from nomock.adapters.exchanges import forget_exchanges, kept_exchanges
from nomock.adapters.pages import seen_pages
from nomock.config import Settings
from nomock.errors import StateFolderError
from nomock.moments import Moment, now
from nomock.plugin.items import LEFT, faults_of
from nomock.plugin.leaks import SentBefore
from nomock.plugin.options import given
from nomock.plugin.workers import BEGAN, Workers
from nomock.replaying import SEEDS

if TYPE_CHECKING:  # a green run needs none of it
    from nomock.evidence.record import Found, Record

_TITLE = "Evidence"
_MOST_ORDER = 100
_MOST_LEFT = 50
_OPTIONS = ("traces", "sidecar-coverage", "evidence-database", "faults-on-shared")
"""The options without which a test may do something else."""
PROPERTY = "nomock_evidence"
"""The property of a test in JUnit's XML that has the path of its evidence."""


class Evidence:
    """The evidence of the tests of one pytest process; of a test that passes nothing is written."""

    def __init__(
        self, config: pytest.Config, settings: Settings, workers: Workers, command: str
    ) -> None:
        self._config = config
        self._settings = settings
        self._command = command
        # xdist gives a worker's config this attribute, which pytest's type does not have.
        given: dict[str, Any] = getattr(config, "workerinput", {})
        self._worker = str(given.get("workerid", ""))
        self._began_s: float = given.get(BEGAN, workers.began_s)
        self._process: int = given.get("nomock_run", os.getpid())
        self._order: deque[str] = deque(maxlen=_MOST_ORDER)
        self._record: Record | None = None
        self._not_written = ""
        self._sent_before = SentBefore()
        self.page = ""
        """Where the page of the run is; "" where there is none."""

    @property
    def is_on(self) -> bool:
        """Whether any test leaves evidence."""
        return self._settings.evidence != "off" and bool(self._settings.files)

    @property
    def is_of_all(self) -> bool:
        """Whether a test that passes does, too."""
        return self.is_on and self._settings.evidence == "all"

    @property
    def left_by_run(self) -> str:
        """The name of the run where some test of it left evidence; "" where none did."""
        if not self.is_on or not (self._settings.state_dir / "evidence").is_dir():
            return ""
        return self.run if (self._settings.state_dir / "evidence" / self.run).is_dir() else ""

    @cached_property
    def run(self) -> str:
        """The name of the run, the same in all its processes."""
        from nomock.evidence.folder import run_name

        return run_name(self._began_s, self._process)

    def begin(self) -> None:
        """A test begins: what the one before it has asked is of no use any more."""
        forget_exchanges()
        self._record = None

    def failed(
        self, item: pytest.Item, report: pytest.TestReport, began: Moment, found: Found
    ) -> None:
        """Write what is known of a test that failed; its report says where."""
        if not self.is_on:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        text = report.longreprtext
        lines = (crash.message if crash else text).splitlines()
        failure = {"phase": str(report.when), "message": lines[0] if lines else "", "text": text}
        record = self._of(item, began, found)
        record.failures.append(failure)
        record.pages = record.pages or seen_pages()
        record.leaks = self._sent_before.found(kept_exchanges()[0], text)
        record.left = self._left
        record.about = {**record.about, "outcome": "failed"}
        if path := self._write(item, record):
            report.sections.append((_TITLE, self._shown(path)))
            named = (PROPERTY, self._shown(path))
            for properties in (item.user_properties, report.user_properties):
                if named not in properties:
                    properties.append(named)
        else:
            report.sections.append((_TITLE, self._not_written))

    def passed(self, item: pytest.Item, began: Moment, found: Found) -> None:
        """Write what is known of a test that did not fail, where each leaves evidence."""
        record = self._of(item, began, found)
        record.about = {**record.about, "outcome": "passed"}
        self._write(item, record)

    def crashed(self, report: pytest.TestReport) -> None:
        """In the controller of xdist: write that a test's worker crashed, which could not."""
        if not self.is_on:
            return
        from nomock.evidence.folder import EvidenceFolder
        from nomock.evidence.record import Record, Seen
        from nomock.evidence.redact import Redactor

        said = str(report.longrepr)
        about = {
            "name": report.nodeid.rpartition("::")[2],
            "file": report.location[0],
            "outcome": "failed",
            "worker": "",
            "order": [],
            "root": str(self._config.rootpath),
        }
        lost = "its worker crashed: what it asked, and what the services logged, is not kept"
        record = Record(
            report.nodeid,
            now(),
            Redactor(self._settings.redact),
            about,
            self._about_run,
            [{"phase": "crash", "message": said, "text": said}],
            Seen(missing=[lost]),
        )
        with suppress(StateFolderError):
            EvidenceFolder(self._settings.state_dir).write(
                self.run, record.test, record.text(monotonic())
            )

    def end(self, item: pytest.Item) -> None:
        """A test is over: of one that failed the end of its faults is known now, too."""
        record = self._record
        if record is not None and (self._has_more(item, record) or record.left != self._left):
            record.left = self._left
            self._write(item, record)
        self._order.append(item.nodeid)
        if self.is_on:
            self._sent_before.add(item.nodeid, kept_exchanges()[0])

    @property
    def _left(self) -> list[dict[str, str]]:
        """What tests of this process have left, the last ones; [] where nobody looks."""
        return self._config.stash.get(LEFT, [])[-_MOST_LEFT:]

    @staticmethod
    def _has_more(item: pytest.Item, record: Record) -> bool:
        exchanges, cut = kept_exchanges()
        is_more = (len(exchanges), cut) != (len(record.exchanges), record.exchanges_cut)
        return is_more or faults_of(item) is not None

    def finish(self) -> None:
        """In the process that stands for the run: write its page, let older runs go."""
        if not self.left_by_run:
            return
        from nomock.plugin.evidence_page import write_page

        try:
            page = write_page(self._settings, self.run, self._about_run)
        except StateFolderError as error:
            self.page = f"not written: {error}"
        else:
            self.page = self._shown(page) if page else ""

    @property
    def has_record(self) -> bool:
        """Whether the test that runs has left evidence."""
        return self._record is not None

    def _of(self, item: pytest.Item, began: Moment, found: Found) -> Record:
        from nomock.evidence.record import Record

        if self._record is None:
            place = str(item.reportinfo()[0])
            about = {
                "name": item.name,
                "file": os.path.relpath(place, self._settings.root),
                "worker": self._worker,
                "order": list(self._order),
                "root": str(self._config.rootpath),
            }
            self._record = Record(item.nodeid, began, found.redactor, about, self._about_run)
        if found.seen.window is not None or found.seen.missing:
            self._record.seen, self._record.redactor = found.seen, found.redactor
        return self._record

    @cached_property
    def _about_run(self) -> dict[str, Any]:
        from importlib.metadata import version

        from nomock.adapters.git import changes_since, commit_of

        commit = commit_of(self._settings.root)
        return {
            "name": self.run,
            "command": self._command,
            "commit": commit,
            "is_changed": bool(commit and changes_since(self._settings.root, commit)),
            "nomock": version("nomock"),
            "pytest": pytest.__version__,
            "python": platform.python_version(),
            "machine": platform.platform(),
            "is_replay": SEEDS in os.environ,
            "options": [name for name in _OPTIONS if given(self._config, name)],
            "random_seed": getattr(self._config.option, "randomly_seed", None),
        }

    def _write(self, item: pytest.Item, record: Record) -> Path | None:
        """Write the file anew; return where, None where it cannot be: the run goes on."""
        from nomock.evidence.folder import EvidenceFolder

        faults = faults_of(item)
        if faults is not None:
            record.spans, record.story = list(faults.spans), list(faults.story)
            record.about = {**record.about, "seeds": list(faults.seeds)}
        record.exchanges, record.exchanges_cut = kept_exchanges()
        text = record.text(monotonic())
        try:
            return EvidenceFolder(self._settings.state_dir).write(self.run, record.test, text)
        except StateFolderError as error:
            self._not_written = f"not written: {error}"
            return None

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path, self._config.invocation_params.dir)
