"""The spy's settings: environment variables, since it has no other way to be told anything."""

from __future__ import annotations

import os

from nomock_spy.appmodules import modules_of
from nomock_spy.hints import Mapping


class Settings:
    """What the coverage overlay says to the spy of one service.

    ``NOMOCK_SPY_OUT``: the folder to write to. ``NOMOCK_SPY_SERVICE``: the service's name.
    ``NOMOCK_SPY_RUN``: the run that the data belong to, may be empty. ``NOMOCK_SPY_ROOTS``: the
    folders that hold the app, joined by colons; empty lets the spy decide file by file.
    ``NOMOCK_SPY_WHEELS``: the folder with coverage.py, for a Python before 3.12. Which modules of
    the app are installed stands in the folder to write to; so do the mutants of a run that has
    any, in a folder with the run's name, so that those of another run mean nothing to this one.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.out = environ["NOMOCK_SPY_OUT"]
        self.service = environ.get("NOMOCK_SPY_SERVICE") or os.uname().nodename
        self.run = environ.get("NOMOCK_SPY_RUN", "")
        roots = environ.get("NOMOCK_SPY_ROOTS", "").split(":")
        self.roots = tuple(root.rstrip("/") + "/" for root in roots if root)
        self.wheels = environ.get("NOMOCK_SPY_WHEELS", "")
        self.modules = modules_of(self.out, self.service)
        mutants = f"{self.out}/mutants.{self.run}"
        self.mutants = mutants if self.run and os.path.isdir(mutants) else ""  # noqa: PTH112
        """The folder of the run's mutants; "" where there are none, as in every other run."""
