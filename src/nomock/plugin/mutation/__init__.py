"""A pytest process as a worker of ``nomock test-mutation``: it runs tests once for each mutant."""

from __future__ import annotations

from pathlib import Path

from nomock.plugin.mutation.worker import Worker
from nomock.plugin.run import Run


def register(run: Run, job: str) -> None:
    """Let this process do what a job's file says, in place of running its tests."""
    run.config.pluginmanager.register(Worker(run, Path(job)), "nomock-mutation")
