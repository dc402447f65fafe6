"""coverage.py's C tracer: one for each thread and greenlet, handed the context that runs there.

Only this module is taken of coverage.py, and nobody else can import it: the package takes 100 ms to
load, and a service may have one of its own. The attributes of a tracer are no public interface;
its version is pinned where nomock provides it.

One thing is beyond it, here as in coverage.py: where a signal handler of the service raises just
as a function begins, Python 3.11 tells of the end of that function and not of its begin. The
functions that run then are off by one, and their next lines are lost or taken for their caller's.
"""

from __future__ import annotations

import _thread
import os
import sys
from _thread import RLock, get_ident
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from itertools import repeat, starmap

from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.guard import is_spys, lose, swallow
from nomock_spy.hints import Any, Callable, FrameType
from nomock_spy.imports import PATCHES
from nomock_spy.standins import known_as, replace

Files = dict[str, set[int]]
"""The lines that ran, by the file name of the code."""

_tracers: Tracers | None = None


def load(folder: str) -> Any:
    """Return coverage.py's module ``tracer`` from its unpacked wheel.

    Raises ImportError. Without it coverage.py itself would go on with a tracer in Python, which
    costs twenty times as much.
    """
    package = f"{folder}/{_kind()}/coverage"
    if not os.path.isdir(package):  # noqa: PTH112 - pathlib is slow to load
        package = f"{folder}/coverage"
    if not folder or not os.path.isdir(package):  # noqa: PTH112
        raise ImportError("there is no coverage.py beside the spy: run nomock overlay")
    names = [f"tracer{suffix}" for suffix in EXTENSION_SUFFIXES]
    found = [name for name in os.listdir(package) if name.endswith(".so")]  # noqa: PTH208
    for name in names:
        if name in found:
            loader = ExtensionFileLoader("coverage.tracer", f"{package}/{name}")
            module = loader.create_module(ModuleSpec(loader.name, loader, origin=loader.path))
            loader.exec_module(module)
            if not hasattr(module, "CTracer"):
                raise ImportError("coverage.py's tracer works in one interpreter of a process only")
            return module
    raise ImportError(
        f"the coverage.py beside the spy is another Python's: it has {' '.join(found)} and not "
        f"{names[0]}: run nomock overlay"
    )


def _kind() -> str:
    """Return the name of the folder for this Python, as nomock calls it: cp311-glibc-x86_64."""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        libc = ""
    name = "glibc" if libc.startswith("glibc") else "musl"
    return f"cp{sys.version_info[0]}{sys.version_info[1]}-{name}-{os.uname().machine}"


class Tracers:
    """Has every line that runs in code of the app added to the files of the context it runs in.

    ``files`` has what ran, by context; a context that is not there is the background's.
    """

    def __init__(
        self, module: Any, files: dict[Context, Files], wanted: Callable[[str], bool]
    ) -> None:
        self._module = module
        self._files = files
        self._wanted = wanted
        self._decisions: dict[str, object] = {}
        self._by_thread: dict[int, Any] = {}
        # Python 3.11 lets one thread set a trace function at a time, and has the others fail.
        self._setting = RLock()
        self._displaced = False
        self._enter = self._entering()
        self._watch_switches: Callable[[], object] = bool  # does nothing: there are no greenlets

    def start(self) -> None:
        """Trace this thread, and all that are started from now on."""
        global _tracers
        _tracers = self
        self._trace_this_thread()

        def make(start_new_thread: Callable[..., int]) -> Callable[..., int]:
            def start_traced(function: Any, *arguments: Any) -> int:
                return start_new_thread(
                    self._traced(function) if callable(function) else function, *arguments
                )

            return start_traced

        # Not threading.settrace, which has every new thread set a trace function by itself.
        for name in ("start_new_thread", "start_new"):
            replace(_thread, name, make)
        threading: Any = sys.modules.get("threading")
        if threading is not None:
            threading._start_new_thread = _thread.start_new_thread
        PATCHES["greenlet"] = __name__

    def here(self) -> None:
        """See to it that this thread is traced: it may have been started in C."""
        tracer = sys.gettrace()
        if tracer is None:
            self._trace_this_thread()
        elif not isinstance(tracer, self._module.CTracer) and not self._displaced:
            self._displaced = True
            lose("not recording in a thread for which the service has set a trace function")

    def enter_again(self) -> None:
        """Let the service's function that runs go on in the context that it has now.

        Its lines go where they went when it was entered. So its tracer is told that it was left,
        and entered.
        """
        frame: FrameType | None = sys._getframe()
        while frame is not None and is_spys(frame.f_code.co_filename):
            frame = frame.f_back
        tracer = sys.gettrace()
        if frame is not None and isinstance(tracer, self._module.CTracer):
            with self._setting:
                tracer(frame, "return", None)
                tracer(frame, "call", None)

    def forked(self) -> None:
        """Go on in the child of a fork."""
        self._setting = RLock()  # the parent's may have been held by another thread

    def _entering(self) -> Callable[[], None]:
        """Return what a tracer calls when it enters code of the app, also to resume a coroutine.

        It sets the tracer's ``data`` to the files of the context that runs. All of it is in C: a
        Python function would take as long, and a signal handler of the service could run and
        raise in it, which would leave the tracer's stack of frames one off for good.
        """
        spare = self._module.CTracer()
        return map(
            setattr,
            map(self._by_thread.get, starmap(get_ident, repeat(())), repeat(spare)),
            repeat("data"),
            map(self._files.get, starmap(current.get, repeat(())), repeat(self._files[BACKGROUND])),
        ).__next__

    def _trace_this_thread(self) -> None:
        self._use(self._new())
        self._watch_switches()

    def _use(self, tracer: Any) -> None:
        """Let a tracer trace this thread in place of the one that it has."""
        thread = get_ident()
        previous = self._by_thread.get(thread)
        if previous is not None:
            previous.stop()  # one that was not stopped ends all tracing here when it is freed
        self._by_thread[thread] = tracer
        with self._setting:
            tracer.start()

    def _new(self) -> Any:
        tracer = self._module.CTracer()
        tracer.data = self._files[BACKGROUND]
        tracer.trace_arcs = False
        tracer.should_trace = self._decide
        tracer.should_trace_cache = self._decisions
        # These two are called around the look for a file in ``data``.
        tracer.lock_data = self._enter
        tracer.unlock_data = bool  # does nothing
        # It has no defaults, and calls those that are not None.
        tracer.concur_id_func = None
        tracer.should_start_context = tracer.switch_context = None
        tracer.check_include = tracer.disable_plugin = tracer.warn = None
        tracer.file_tracers = {}
        return tracer

    def _traced(self, function: Callable[..., object]) -> Callable[..., object]:
        def run_traced(*arguments: Any, **named: Any) -> object:
            try:
                self._trace_this_thread()
            except BaseException as error:
                swallow(error)
            return function(*arguments, **named)

        try:  # what Python calls a thread that ends with an error
            return known_as(function, run_traced)
        except BaseException as error:
            swallow(error)
            return run_traced

    def _decide(self, filename: str, frame: FrameType) -> object:
        """Tell a tracer, once a file, whether its lines are wanted."""
        try:
            if self._wanted(filename):
                decision = self._module.CFileDisposition()
                decision.trace = True
                decision.original_filename = decision.canonical_filename = filename
                decision.source_filename = filename
                decision.reason = ""
                decision.file_tracer = None
                decision.has_dynamic_filename = False
                return decision
        except BaseException as error:
            swallow(error)
        return None

    def switch_with(self, greenlet: Any) -> None:
        """Give each greenlet a tracer: it enters and leaves functions in between the others' ones.

        greenlet tells of switches thread by thread, so of those in this thread, and in new ones.
        """
        from weakref import WeakKeyDictionary

        suspended: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

        def switched(event: str, arguments: tuple[Any, Any]) -> None:
            try:
                origin, target = arguments
                suspended[origin] = self._by_thread[get_ident()]
                self._use(suspended.get(target) or self._new())
            except BaseException as error:
                swallow(error)

        self._watch_switches = lambda: greenlet.settrace(switched)
        self._watch_switches()


def install(greenlet: Any) -> None:
    """Trace greenlets, since their package was imported."""
    if _tracers is not None:
        _tracers.switch_with(greenlet)
