"""Is the stack ready? One probe a service, all asked at once, under one deadline.

A probe is one file with one class; ``probes.py`` registers it under the word that a setting names
it by: ``health``, ``tcp:5432``, ``http:8000/health``, ``done``, ``none``.
"""

from nomock.readiness.probe import Probe, ProbeAnswer
from nomock.readiness.probes import probe_for
from nomock.readiness.verdict import Verdict
from nomock.readiness.wait import wait_again, wait_until_ready
from nomock.readiness.watch import ReadinessWatch

__all__ = [
    "Probe",
    "ProbeAnswer",
    "ReadinessWatch",
    "Verdict",
    "probe_for",
    "wait_again",
    "wait_until_ready",
]
