"""The spy: records which lines of a service ran for which test, and writes them down at once.

Standard library only, and little of that: each import here delays the start of every process.
"""

from __future__ import annotations

import os
import sys

from nomock_spy import activities, children, imports, jobs
from nomock_spy.engines import Engine
from nomock_spy.guard import swallow
from nomock_spy.hints import Mapping
from nomock_spy.settings import Settings


def start(environ: Mapping[str, str]) -> None:
    """Start recording in this process, as the environment says."""
    engine = _engine_for(Settings(environ))
    if engine.start():
        activities.use(engine)
        os.register_at_fork(after_in_child=lambda: _go_on_in_child(engine))
        jobs.listen()
        children.listen(engine)
        imports.listen()


def _go_on_in_child(engine: Engine) -> None:
    try:
        engine.forked()
    except BaseException as error:
        swallow(error)


def _engine_for(settings: Settings) -> Engine:
    """Return the engine for the Python that runs this."""
    if sys.version_info >= (3, 12):
        from nomock_spy.engines.monitoring import Monitoring

        return Monitoring(settings)
    from nomock_spy.engines import ctracer

    return ctracer.engine(settings)
