"""OpenTelemetry's SDK, set up by its own variables, and its instrumentations of single packages."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from nomock_tracer.exporter import OtlpJsonExporter

# Of the standard library: what begins no trace, and goes on with one.
_WITH_ANY = ("threading:ThreadingInstrumentor", "urllib:URLLibInstrumentor")
_done: set[str] = set()


def instrument(package: ModuleType, names: Iterable[str]) -> None:
    """Give this process a tracer, unless it has one, and instrument a package that was imported."""
    if not _done:
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OtlpJsonExporter()))
        trace.set_tracer_provider(provider)
        _apply(_WITH_ANY)
    if package.__name__ == "django":
        _instrument_once_set_up(package)
    # Of one that FastAPI is about to import FastAPI's own turn comes right after this.
    elif package.__name__ != "starlette" or "fastapi" not in sys.modules:
        _apply(names)


def _apply(names: Iterable[str]) -> None:
    for name in names:
        module, _, kind = name.partition(":")
        if name in _done or (module == "fastapi" and find_spec("fastapi") is None):
            continue
        _done.add(name)
        # It says so itself where it does not know the package's version.
        getattr(import_module(f"opentelemetry.instrumentation.{module}"), kind)().instrument()


def _instrument_once_set_up(django: Any) -> None:
    """Instrument Django when it is set up: before that its instrumentation would configure it."""
    set_up = django.setup

    def setup(*args: Any, **options: Any) -> Any:
        django.setup = set_up
        from django.conf import settings

        try:
            _ = settings.MIDDLEWARE
        except Exception:
            return set_up(*args, **options)  # which raises it, too
        try:
            _apply(["django:DjangoInstrumentor"])
        except Exception as error:
            print(f"nomock-tracer: not tracing: {error!r}", file=sys.stderr, flush=True)
        return set_up(*args, **options)

    django.setup = setup
