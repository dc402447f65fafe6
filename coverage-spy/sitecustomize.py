"""Start nomock's spy and its tracer, where this process was asked to; then the next sitecustomize.

Python imports a module of this name when it starts: https://docs.python.org/3/library/site.html
This one is found first because the coverage overlay puts its folder on PYTHONPATH. Written so that
every Python 3 can at least read it: a service on an old one has to run as if we were not there.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# What the annotations below would need takes as long to load as all of this.

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to load


def _start_spy() -> None:
    """Start the spy; nothing that goes wrong in it may reach the service."""
    out = os.environ.get("NOMOCK_SPY_OUT")
    if not out:
        return
    try:
        _keep_compiled(out)
        import nomock_spy

        nomock_spy.start(os.environ)
    except BaseException as error:
        # No f-string: this file is readable for every Python 3.
        why = "%r" % (error,)  # noqa: UP031
        try:  # noqa: SIM105 - contextlib is slow to load
            _leave_word(out, why)
        except BaseException:
            pass
        try:  # noqa: SIM105 - contextlib is slow to load
            sys.stderr.write("nomock-spy: not recording: " + why + "\n")
        except BaseException:
            pass


def _start_tracer():
    """Start the tracer; nothing that goes wrong in it may reach the service."""
    folder = os.environ.get("NOMOCK_TRACER")
    if not folder:
        return
    try:
        import nomock_tracer

        nomock_tracer.start(folder + "/site-packages", _loader_keeping(folder + "/compiled"))
    except BaseException as error:
        try:  # noqa: SIM105 - contextlib is slow to load
            sys.stderr.write("nomock-tracer: not tracing: %r\n" % (error,))  # noqa: UP031
        except BaseException:
            pass


def _leave_word(folder, why):
    """Leave a file in the place of a spy that does not even start: nomock_spy.writer has more."""
    import json
    import time

    host, pid = os.uname()[1], os.getpid()
    service = os.environ.get("NOMOCK_SPY_SERVICE") or host
    run = os.environ.get("NOMOCK_SPY_RUN", "")
    header = {"v": 3, "core": None, "unsupported": "its spy did not start: " + why}
    header.update(service=service, run=run, python=sys.version.split()[0], host=host, pid=pid)
    header["started"] = time.time()
    name = ".".join((service, run or "-", host, str(pid), "%08x" % (id(header) & 0xFFFFFFFF)))
    with open(folder + "/" + name.replace("/", "_") + ".ndjson", "a") as file:  # noqa: PTH123
        os.chmod(file.name, 0o644)  # noqa: PTH101 - whatever umask the service has
        file.write(json.dumps(header) + "\n")


def _loader_keeping(folder):
    """Return a loader of sources that keeps what it compiles in a folder.

    What we bring is mounted read-only, and compiling it takes longer than all else that it does
    when a process starts: so only the first process of all has to.
    """
    from importlib.machinery import SourceFileLoader

    class Loader(SourceFileLoader):
        def get_code(self, fullname):
            before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
            try:
                return SourceFileLoader.get_code(self, fullname)
            finally:
                sys.dont_write_bytecode = before

        def get_data(self, path):
            return SourceFileLoader.get_data(self, self._kept(path))

        def set_data(self, path, data, **options):
            SourceFileLoader.set_data(self, self._kept(path), data, **options)

        def _kept(self, path):
            # No folders below: who cleans up need not be the user that the service runs as.
            if path == self.path:
                return path
            return folder + "/" + self.name + "." + sys.implementation.cache_tag + ".pyc"

    return Loader


def _keep_compiled(folder):
    """Let Python keep what it compiles of the spy in the folder of the data."""
    from importlib.machinery import FileFinder

    loader = _loader_keeping(folder)

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.partition(".")[0] != "nomock_spy":
                return None
            parent = name.rpartition(".")[0].replace(".", "/")
            return FileFinder(_HERE + "/" + parent, (loader, [".py"])).find_spec(name)

    sys.meta_path.insert(0, Finder)


def _leave_path():
    """Take our folder off the path, and return what is behind it there.

    From here on as without us: each import that looks for a module would look into it.
    """
    ours = [at for at, entry in enumerate(sys.path) if os.path.abspath(entry) == _HERE]  # noqa: PTH100
    behind = sys.path[ours[0] + 1 :] if ours else list(sys.path)
    sys.path[:] = [entry for at, entry in enumerate(sys.path) if at not in ours]
    return behind


def _run_next(path):
    """Run the module that Python would have found without ours: ``__name__``, on a path.

    What is in front of ours runs already, and has come to this one. What it raises goes up, as it
    would have without us: Python's own site module reports it.
    """
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec(__name__, path)
    if spec is None or spec.loader is None:
        return
    from importlib._bootstrap import module_from_spec  # importlib.util is slow to load

    module = module_from_spec(spec)
    sys.modules[__name__] = module
    spec.loader.exec_module(module)


_start_spy()
_start_tracer()
_run_next(_leave_path())
