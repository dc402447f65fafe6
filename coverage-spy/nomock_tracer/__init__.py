"""The tracer: OpenTelemetry's own instrumentations in a service that knows nothing of them.

A package is instrumented right after the service has imported it, and nothing is loaded before: a
healthcheck's Python pays for none of it.
"""

from __future__ import annotations

import sys

from nomock_spy.hints import Any, ModuleType
from nomock_spy.imports import when_imported

INSTRUMENTATIONS = {
    "MySQLdb": ("mysqlclient:MySQLClientInstrumentor",),
    "aio_pika": ("aio_pika:AioPikaInstrumentor",),
    "aiohttp": (
        "aiohttp_client:AioHttpClientInstrumentor",
        "aiohttp_server:AioHttpServerInstrumentor",
    ),
    "aiokafka": ("aiokafka:AIOKafkaInstrumentor",),
    "asyncpg": ("asyncpg:AsyncPGInstrumentor",),
    "celery": ("celery:CeleryInstrumentor",),
    "confluent_kafka": ("confluent_kafka:ConfluentKafkaInstrumentor",),
    "django": (),  # once its settings are there
    "falcon": ("falcon:FalconInstrumentor",),
    # Before Starlette's, which would be that of FastAPI's applications, too.
    "fastapi": ("fastapi:FastAPIInstrumentor", "starlette:StarletteInstrumentor"),
    "flask": ("flask:FlaskInstrumentor",),
    "grpc": (
        "grpc:GrpcAioInstrumentorClient",
        "grpc:GrpcAioInstrumentorServer",
        "grpc:GrpcInstrumentorClient",
        "grpc:GrpcInstrumentorServer",
    ),
    "httpx": ("httpx:HTTPXClientInstrumentor",),
    "httpx2": ("httpx:HTTPX2ClientInstrumentor",),
    "kafka": ("kafka:KafkaInstrumentor",),
    "pika": ("pika:PikaInstrumentor",),
    "psycopg": ("psycopg:PsycopgInstrumentor",),
    "psycopg2": ("psycopg2:Psycopg2Instrumentor",),
    "pymongo": ("pymongo:PymongoInstrumentor",),
    "pymysql": ("pymysql:PyMySQLInstrumentor",),
    "pyramid": ("pyramid:PyramidInstrumentor",),
    "redis": ("redis:RedisInstrumentor",),
    "requests": ("requests:RequestsInstrumentor",),
    "sqlalchemy": ("sqlalchemy:SQLAlchemyInstrumentor",),
    "starlette": ("fastapi:FastAPIInstrumentor", "starlette:StarletteInstrumentor"),
    "tornado": ("tornado:TornadoInstrumentor",),
    "urllib3": ("urllib3:URLLib3Instrumentor",),
}
"""The instrumentations of a package, below ``opentelemetry.instrumentation``."""


def start(folder: str, loader: Any) -> None:
    """Have this process traced by the packages in a folder, once it imports one that they know.

    ``loader`` loads them: one that keeps what it compiles.
    """
    tracer = _Tracer(folder, loader)
    when_imported(INSTRUMENTATIONS, tracer.instrument)


class _Tracer:
    """The tracer of one process; nothing that goes wrong in it reaches the service."""

    def __init__(self, folder: str, loader: Any) -> None:
        self._folder = folder
        self._loader = loader
        self._has_begun = False
        self._is_lost = False

    def instrument(self, package: ModuleType) -> None:
        """Instrument a package that was imported."""
        if self._is_lost:
            return
        try:
            if not self._has_begun:
                self._has_begun = True
                self._begin()
            from nomock_tracer import instrument

            instrument.instrument(package, INSTRUMENTATIONS[package.__name__])
        except Exception as error:
            self._is_lost = True
            print(f"nomock-tracer: not tracing: {error!r}", file=sys.stderr, flush=True)

    def _begin(self) -> None:
        from importlib.machinery import FileFinder

        def finder_of(path: str) -> FileFinder:
            if path != self._folder and not path.startswith(self._folder + "/"):
                raise ImportError(path)  # which hands it to the next hook
            return FileFinder(path, (self._loader, [".py"]))

        sys.path_hooks.insert(0, finder_of)
        # Behind what the service has: of a package that both have, the service's own counts.
        sys.path.append(self._folder)
