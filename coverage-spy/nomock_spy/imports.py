"""What is patched in other packages, and when: right after the module that it is in was imported.

A service that does not use a package pays nothing for it: the patch is not even loaded.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec

from nomock_spy.guard import lose, swallow
from nomock_spy.hints import Callable, Collection, ModuleType, Sequence
from nomock_spy.standins import known_as

PATCHES = {
    "aiohttp.client_reqrep": "nomock_spy.clients.aiohttp",
    "aiohttp.web_server": "nomock_spy.servers.aiohttp",
    "arq.connections": "nomock_spy.queues.arq",
    "arq.worker": "nomock_spy.queues.arq",
    "bottle": "nomock_spy.servers.frameworks",
    "celery.signals": "nomock_spy.queues.celery",
    "concurrent.futures.process": "nomock_spy.queues.futures",
    "concurrent.futures.thread": "nomock_spy.executors",
    "django.core.handlers.asgi": "nomock_spy.servers.frameworks",
    "django.core.handlers.wsgi": "nomock_spy.servers.frameworks",
    "dramatiq.message": "nomock_spy.queues.dramatiq",
    "dramatiq.worker": "nomock_spy.queues.dramatiq",
    "flask.app": "nomock_spy.servers.frameworks",
    "gevent": "nomock_spy.greenlets",
    "grpc._channel": "nomock_spy.clients.grpc",
    "grpc._server": "nomock_spy.servers.grpc",
    "grpc.aio._call": "nomock_spy.clients.grpc",
    "grpc.aio._server": "nomock_spy.servers.grpc",
    "gunicorn.workers.base": "nomock_spy.servers.gunicorn",
    "gunicorn.workers.gasgi": "nomock_spy.servers.gunicorn_asgi",
    "http.client": "nomock_spy.clients.http_client",
    "http.server": "nomock_spy.servers.http_server",
    "httpcore": "nomock_spy.clients.httpcore",
    "httpcore2": "nomock_spy.clients.httpcore",
    "hypercorn.app_wrappers": "nomock_spy.servers.hypercorn",
    "joblib.externals.loky.process_executor": "nomock_spy.queues.futures",
    "litestar.app": "nomock_spy.servers.frameworks",
    "loky.process_executor": "nomock_spy.queues.futures",
    "multiprocessing.pool": "nomock_spy.queues.pool",
    "multiprocessing.queues": "nomock_spy.feeders",
    "multiprocessing.util": "nomock_spy.children",
    "queue": "nomock_spy.consumers",
    "quart.app": "nomock_spy.servers.frameworks",
    "rq.job": "nomock_spy.queues.rq",
    "sanic.server.protocols.http_protocol": "nomock_spy.servers.handlers",
    "starlette.applications": "nomock_spy.servers.frameworks",
    "subprocess": "nomock_spy.popen",
    "threading": "nomock_spy.threads",
    "tornado.web": "nomock_spy.servers.handlers",
    "uvicorn.config": "nomock_spy.servers.uvicorn",
    "waitress.server": "nomock_spy.servers.waitress",
    "werkzeug.serving": "nomock_spy.servers.werkzeug",
    "wsgiref.simple_server": "nomock_spy.servers.wsgiref",
}
"""The module with a function ``install(module)``, by the module that it patches."""


def listen() -> None:
    """Patch what is imported from now on, and what is there already."""
    for name in PATCHES.keys() & sys.modules.keys():
        _patch(sys.modules[name])
    when_imported(PATCHES, _patch)


def when_imported(names: Collection[str], tell: Callable[[ModuleType], None]) -> None:
    """Call ``tell`` with each module of these names that is imported, right after it was run."""
    sys.meta_path.insert(0, _Finder(names, tell))


class _Finder:
    """Finds nothing itself; tells of what the others find once it has been run."""

    def __init__(self, names: Collection[str], tell: Callable[[ModuleType], None]) -> None:
        self._names = names
        self._tell = tell

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the next finder has for a module of one of the names."""
        if name not in self._names:
            return None
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                try:
                    _tell_after(spec, self._tell)
                except BaseException as error:
                    swallow(error)
                return spec
        return None


def _tell_after(spec: ModuleSpec, tell: Callable[[ModuleType], None]) -> None:
    loader = spec.loader
    run_module = getattr(loader, "exec_module", None)
    if loader is None or run_module is None:
        return

    def exec_module(module: ModuleType) -> None:
        if module.__name__ == spec.name:  # the loader of a zip file has many modules
            vars(loader).pop("exec_module", None)
        run_module(module)
        if module.__name__ == spec.name:
            tell(module)

    # On the instance, and for once: its type stays what packages that look at it expect.
    loader.exec_module = known_as(run_module, exec_module)  # type: ignore[method-assign]


def _patch(module: ModuleType) -> None:
    who = f"who uses {module.__name__}"
    try:
        import_module(PATCHES[module.__name__]).install(module)
    # One of another version than those we know, perhaps.
    except AttributeError as error:  # which a __getattr__ of the module's own may have raised
        lose(f"lost {who}: {error!r}")
    except BaseException as error:
        swallow(error, who)
