"""The fixture ``faults``: what a test can do to its stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from nomock.errors import did_you_mean
from nomock.evidence import Span
from nomock.faults.active import ActiveFault, FaultSession
from nomock.faults.fault import EXPIRES_S, Fault
from nomock.faults.generate.chance import LEAST_MS, from_seed, templates
from nomock.faults.methods import database, edge, http, packets, service
from nomock.faults.none import NoFault
from nomock.faults.schedule import Schedule, Step
from nomock.faults.schedule_run import ScheduleRun


class Faults(
    edge.EdgeMethods,
    http.HttpMethods,
    service.ServiceMethods,
    packets.PacketMethods,
    database.DatabaseMethods,
):
    """What a test does to the stack: ``with faults.latency("a->b", latency_ms=800): …``.

    Each fault is healed when its block ends, however it ends. One without effect makes the test an
    error, since a green test beside it would show nothing; ``expect_traffic=False`` allows it.
    """

    def __init__(self, session: FaultSession) -> None:
        self._session = session

    if not TYPE_CHECKING:  # which names there are a type checker sees, and would take any by this

        def __getattr__(self, name: str) -> NoReturn:
            known = [known for known in dir(type(self)) if not known.startswith("_")]
            having = [repr(known) for known in known if name in known]
            hint = did_you_mean(name, known, "nomock docs faults has all that there are")
            if having:
                hint = f"did you mean {' or '.join(having)}?"
            # Without a name: with one Python adds a hint of its own.
            raise AttributeError(f"there is no fault {name!r}; {hint}", name=None)

    def none(
        self, part: str = "", *, expect_traffic: bool = True, expires_s: float = EXPIRES_S
    ) -> ActiveFault:
        """Break nothing, so that a test with parameters can run with a fault and without.

        With an edge or a service it keeps other tests away from that, as any fault there would:
        for a fault that leaves something behind, such as an open circuit, until that has passed.

        Args:
            part: The edge or the service to hold; "" for none.
            expect_traffic: Of no effect: a fault that breaks nothing is never an error.
            expires_s: Of no effect.

        Raises:
            UnknownEdgeError: the stack has no edge of this name.
            UnknownServiceError: the stack has no service of this name.

        Example:

            with faults.none("instances->auth"):
                assert http.get("/instances").status_code == 200
        """
        return self.on(NoFault(part, expect_traffic=expect_traffic, expires_s=expires_s))

    def on(self, fault: Fault) -> ActiveFault:
        """Return the block of a fault that was made elsewhere."""
        return ActiveFault(self._session, fault)

    def schedule(
        self,
        seed: int | None = None,
        *,
        edges: Sequence[str] = (),
        services: Sequence[str] = (),
        kinds: Iterable[str] | None = None,
        lasts_s: float = 3.0,
        steps: int = 4,
        least_ms: int = LEAST_MS,
        expect_traffic: bool = True,
    ) -> ScheduleRun:
        """Break things at random, and the same again for the same arguments.

        The faults begin and end in the background while the block runs. A failing test shows the
        sequence as Python that plays it again.

        Args:
            seed: What the sequence is made from; None takes another one each time, and the same
                again in ``nomock replay``.
            edges: The edges that may be broken; all of them where neither these nor services are.
            services: The services that may be broken.
            kinds: The kinds of faults, such as ``["latency", "kill"]``; None takes all that suit.
            lasts_s: Seconds after which all of them have ended.
            steps: How many faults at most: those that conflict with an earlier one are left out.
            least_ms: Milliseconds that each lasts at the least.
            expect_traffic: Whether the test is an error where none of them had an effect.

        Raises:
            ConfigError: an argument is out of its range, or there is nothing to break.

        Example:

            with faults.schedule(seed=7, edges=["instances->postgres"], lasts_s=2) as run:
                while not run.is_over:
                    assert http.get("/instances").status_code in {200, 503}
        """
        among = templates(edges if edges or services else self.edges, services, kinds)
        if seed is None:
            seed = next(self._session.replayed, None)
        made = from_seed(seed, among, lasts_s=lasts_s, most_steps=steps, least_ms=least_ms)
        return ScheduleRun(self._session, made, expect_traffic=expect_traffic)

    def play(self, steps: Schedule | Iterable[Step], *, expect_traffic: bool = True) -> ScheduleRun:
        """Begin and end faults at their times, in the background while the block runs.

        Args:
            steps: A ``Schedule``, or its steps: ``faults.refused("a->b").at(after_ms=…, …)``.
            expect_traffic: Whether the test is an error where none of them had an effect.

        Raises:
            ConflictingFaultsError: two of them would be active at once and cannot be.
            ConfigError: a time is out of its range.

        Example:

            steps = [faults.refused("auth->redis").at(after_ms=100, lasts_ms=250)]
            with faults.play(steps) as run:
                while not run.is_over:
                    assert http.get("/me").status_code in {200, 503}
        """
        schedule = steps if isinstance(steps, Schedule) else Schedule(tuple(steps))
        return ScheduleRun(self._session, schedule, expect_traffic=expect_traffic)

    @property
    def edges(self) -> list[str]:
        """The names of the edges that can be broken."""
        return sorted(self._session.control.edges)

    @property
    def story(self) -> list[tuple[float, str]]:
        """What was done when: pairs of a time by ``time.monotonic()`` and a line of text."""
        return self._session.story

    @property
    def seeds(self) -> list[int]:
        """The seeds of the schedules that were played, in their order."""
        return self._session.seeds

    @property
    def spans(self) -> list[Span]:
        """When each fault was active."""
        return self._session.spans


def kinds() -> Mapping[str, type[Fault]]:
    """Return the class of each kind of fault by its name."""
    groups = (edge, http, service, packets, database)
    found = (NoFault, *(kind for group in groups for kind in group.KINDS))
    return {kind.kind: kind for kind in found}
