"""Start nomock's spy if this process was asked to, then run the image's own sitecustomize.

Python imports a module of this name when it starts: https://docs.python.org/3/library/site.html
This one is found first because the coverage overlay puts its folder on PYTHONPATH. Written so that
every Python 3 can at least read it: a service on an old one has to run as if we were not there.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to load


def _start_spy() -> None:
    """Start the spy; nothing that goes wrong in it may reach the service."""
    if not os.environ.get("NOMOCK_SPY_OUT"):
        return
    try:
        import nomock_spy

        nomock_spy.start(os.environ)
    except BaseException as error:
        try:  # noqa: SIM105 - contextlib is slow to load
            # No f-string: this file is readable for every Python 3.
            sys.stderr.write("nomock-spy: not recording: %r\n" % (error,))  # noqa: UP031
        except BaseException:
            pass


def _run_own_sitecustomize() -> None:
    """Run the sitecustomize that Python would have found without ours.

    What it raises goes up, as it would have without us: Python's own site module reports it.
    """
    from importlib.machinery import PathFinder

    # Here and above no pathlib: it is slow to load, and each process of the service would pay.
    others = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_start_spy()
_run_own_sitecustomize()
