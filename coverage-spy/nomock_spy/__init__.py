"""The spy: records which lines of a service ran for which test, and writes them down at once.

Standard library only, and little of that: each import here delays the start of every process.
"""

from __future__ import annotations

import os
import sys

from nomock_spy import activities, children, imports, jobs
from nomock_spy.cores import Core
from nomock_spy.guard import swallow
from nomock_spy.hints import Mapping
from nomock_spy.settings import Settings


def start(environ: Mapping[str, str]) -> None:
    """Start recording in this process, as the environment says."""
    settings = Settings(environ)
    core = _core_for(settings)
    if core.start():
        activities.use(core)
        os.register_at_fork(after_in_child=lambda: _go_on_in_child(core))
        jobs.listen()
        children.listen(core)
        imports.listen()
        if settings.mutants:
            from nomock_spy import mutants

            mutants.start(settings.mutants)


def _go_on_in_child(core: Core) -> None:
    try:
        core.forked()
    except BaseException as error:
        swallow(error)


def _core_for(settings: Settings) -> Core:
    """Return the core for the Python that runs this."""
    if sys.version_info >= (3, 12):
        from nomock_spy.cores.monitoring import Monitoring

        return Monitoring(settings)
    from nomock_spy.cores import ctracer

    return ctracer.core(settings)
