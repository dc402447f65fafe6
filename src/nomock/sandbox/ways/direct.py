"""Objects applied wave by wave: who is waited for is ready before those who wait are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Event
from time import monotonic

from nomock.sandbox.causes import Cause
from nomock.sandbox.outside import delete_global
from nomock.sandbox.ways.way import PAUSE_S, Object, Way, wave_of
from nomock.sandbox.workloads import names_of

_PRUNED = (
    "Deployment",
    "Job",
    "Service",
    "HTTPRoute",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "RoleBinding",
    "Role",
    "ServiceAccount",
)


@dataclass
class Direct(Way):
    """By the cluster's own API: each object is applied by the server itself."""

    @property
    def by(self) -> str:
        """That nothing else brings it up."""
        return "direct"

    def sync(self, manifests: Sequence[Object]) -> None:
        """Make the namespace and what belongs to no service, once the server takes all the rest."""
        self.take_namespace()
        self.make([manifest for manifest in manifests if wave_of(manifest) == 0])
        self.check([manifest for manifest in manifests if wave_of(manifest) > 0])

    def apply(self, manifests: Sequence[Object], *, within_s: float) -> None:
        """Apply the objects of services, in order of their waves; wait for each before the next."""
        deadline = monotonic() + within_s
        of_services = sorted((m for m in manifests if wave_of(m) > 0), key=wave_of)
        for _, found in groupby(of_services, key=wave_of):
            wave = list(found)
            for manifest in wave:
                self.objects.apply(manifest)
            self._wait(names_of(wave), deadline)

    def prune(self, manifests: Sequence[Object]) -> list[str]:
        """Delete what an earlier promotion of this sandbox made and this one did not."""
        wanted = {(m["kind"], m["metadata"]["name"]) for m in manifests}
        gone = self.prune_kinds(_PRUNED, wanted)
        return gone + delete_global(self.objects, self.id, wanted)

    def _wait(self, names: set[tuple[str, str]], deadline: float) -> None:
        began_s, pause = monotonic(), Event()
        while True:
            is_late = monotonic() > deadline
            look = self.workloads.look(names)
            if not look.waiting:
                return
            if look.causes and (look.causes[0].is_final or is_late):
                raise self.workloads.failed(look.causes[0], look.seen)
            waiting = ", ".join(look.waiting)
            if is_late:
                cause = Cause(look.waiting[0], "deadline exceeded", f"not ready: {waiting}")
                raise self.workloads.failed(cause, look.seen)
            why = f" ({look.causes[0].what})" if look.causes else ""
            self.show(f"waiting for {waiting}{why}")
            pause.wait(min(PAUSE_S, max(0.05, (monotonic() - began_s) / 4)))
