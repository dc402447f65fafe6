"""Schedules of faults: made from a seed or by Hypothesis, played, shown and played again."""

from __future__ import annotations

import re
import sys
from itertools import combinations

import pytest
from proxied import left_on, proxied
from tiny import IMAGE, LISTENS, ROOT, Tiny, docker, server

from nomock import schedules
from nomock.errors import ConfigError, ConflictingFaultsError
from nomock.faults.edge.latency import Latency
from nomock.faults.edge.refused import Refused
from nomock.faults.generate.chance import from_seed, templates
from nomock.faults.packets.loss import PacketLoss
from nomock.faults.schedule import Schedule, Step
from nomock.faults.service.stop import Stop

EDGES = ["shop->bank", "shop->web"]
MADE_OF_SEED_7 = """\
from nomock.faults.generate.chance import from_seed, templates
print(from_seed(7, templates(["shop->bank", "shop->web"], [], None), lasts_s=3.0, most_steps=4))
"""
OF_SEED_7 = """\
[
    faults.cut_after("shop->web", after_bytes=63431).at(after_ms=168, lasts_ms=835),
    faults.latency("shop->bank", latency_ms=439, jitter_ms=14).at(after_ms=263, lasts_ms=715),
    faults.bandwidth("shop->web", kb_s=850).at(after_ms=1887, lasts_ms=205),
]
"""


def of_seed(seed: int | None, *, lasts_s: float = 3.0, most_steps: int = 4) -> Schedule:
    among = templates(EDGES, [], None)
    return from_seed(seed, among, lasts_s=lasts_s, most_steps=most_steps)


def test_the_schedule_of_a_seed_should_be_the_same_when_another_python_makes_it() -> None:
    assert f"{of_seed(7)}\n" == OF_SEED_7
    mounted = f"{ROOT}/src:/src:ro"
    options = ["--rm", "--volume", mounted, "--env", "PYTHONPATH=/src"]
    assert docker("run", *options, IMAGE, "python3", "-c", MADE_OF_SEED_7) == OF_SEED_7


def test_schedules_should_differ_and_fit_their_time_when_many_seeds_make_them() -> None:
    schedules = [of_seed(seed, lasts_s=2.0) for seed in range(300)]
    assert len({repr(schedule) for schedule in schedules}) == 300
    assert repr(of_seed(None)) != repr(of_seed(None))
    for schedule in schedules:
        assert 1 <= len(schedule.steps) <= 4
        for step in schedule:
            assert step.after_ms >= 0
            assert step.lasts_ms >= 100
            assert step.ends_ms <= 2000
    kinds = {step.fault.kind for schedule in schedules for step in schedule}
    assert kinds == {
        *("latency", "slice", "bandwidth", "slow_close", "cut_after", "reset"),
        *("flap", "refused", "blackhole"),
    }


def test_steps_should_be_left_out_of_a_schedule_when_they_contradict_an_earlier_one() -> None:
    one = Step(0, 100, Latency("shop->web", latency_ms=5))
    during = Step(99, 100, Latency("shop->web", latency_ms=7))
    closed = Step(50, 10, Refused("shop->web"))
    after = Step(100, 100, Latency("shop->web", latency_ms=9))
    elsewhere = Step(0, 100, Refused("shop->bank"))
    kept = Schedule.without_conflicts([one, during, closed, after, elsewhere])
    assert kept.steps == (one, elsewhere, after)
    assert kept.moments() == [
        (0, True, 0),
        (0, True, 1),
        (100, False, 0),
        (100, False, 1),
        (100, True, 2),
        (200, False, 2),
    ]
    with pytest.raises(ConflictingFaultsError, match="fault refused shop->web"):
        Schedule((one, closed))


def test_a_seeds_schedule_should_break_nothing_of_a_service_when_a_fault_took_it_away() -> None:
    among = templates([], ["worker"], None)
    kinds = set()
    for seed in range(3000):
        steps = from_seed(seed, among, lasts_s=3, most_steps=4).steps
        kinds |= {step.fault.kind for step in steps}
        for one, two in combinations(steps, 2):
            if one.fault.takes_away or two.fault.takes_away:
                assert one.ends_ms <= two.after_ms, seed
    assert kinds == {"packet_rate", "packet_loss", "isolate", "pause", "restart", "stop", "kill"}


def test_a_schedule_by_hand_should_keep_both_faults_when_one_takes_the_service_away() -> None:
    loss, stop = Step(0, 100, PacketLoss("worker", percent=1)), Step(50, 20, Stop("worker"))
    assert Schedule((loss, stop)).steps == (loss, stop)
    assert Schedule.without_conflicts([loss, stop]).steps == (loss,)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: of_seed(-1),
            "schedule of faults: seed cannot be -1\n"
            "  it is a whole number from 0 to 18446744073709551615",
        ),
        (
            lambda: of_seed(7, lasts_s=0),
            "schedule of faults: lasts_s cannot be 0\n  it is a number of seconds from 0.1 to 600",
        ),
        (
            lambda: schedules(edges=["a->b"], lasts_s=0.4, least_ms=500),
            "schedule of faults: least_ms cannot be 500\n  it is a whole number from 1 to 400",
        ),
        (
            lambda: of_seed(7, most_steps=0),
            "schedule of faults: steps cannot be 0\n  it is a whole number from 1 to 100",
        ),
        (
            lambda: templates(["a->b"], [], ["latency", "latncy"]),
            "schedule of faults: a schedule cannot have the kind 'latncy'\n"
            "  it can have: latency, slice, bandwidth, slow_close, cut_after, reset, flap, "
            "refused, blackhole, packet_rate, packet_loss, isolate, pause, restart, stop, kill\n"
            "-> put it on around the schedule: with faults.…, faults.schedule(…):",
        ),
        (
            lambda: templates([], ["web"], ["latency"]),
            "schedule of faults: there is nothing that it could break\n"
            "  edges: none; services: web; kinds: latency\n"
            "-> name edges for faults on edges, services for faults on services",
        ),
        (
            lambda: Schedule((Step(-5, 10, Refused("a->b")),)),
            "fault refused a->b in a schedule: after_ms cannot be -5\n"
            "  it is a whole number of milliseconds, 0 or more",
        ),
        (
            lambda: Schedule((Step(0, 0, Refused("a->b")),)),
            "fault refused a->b in a schedule: lasts_ms cannot be 0\n"
            "  it is a whole number of milliseconds, 1 or more",
        ),
    ],
    ids=["seed", "time", "least", "steps", "kind", "nothing", "before it begins", "no time"],
)
def test_a_schedule_should_be_refused_with_the_reason_when_it_cannot_be(call, said) -> None:
    with pytest.raises(ConfigError) as refused:
        call()
    assert str(refused.value) == said


def test_faults_should_be_put_on_and_off_when_a_test_plays_a_schedule_and_goes_on(
    shop: Tiny,
) -> None:
    proxied(
        shop,
        """
        from time import monotonic

        def test_it(stack, faults):
            began, seen = monotonic(), []
            with faults.play([
                faults.refused("shop->web").at(after_ms=200, lasts_ms=1000),
                faults.latency("shop->bank", latency_ms=5).at(after_ms=100, lasts_ms=1300),
                faults.refused("shop->web").at(after_ms=1200, lasts_ms=100),
            ]) as playing:
                while not playing.is_over:
                    through(stack, "shop->bank")
                    try:
                        through(stack, "shop->web")
                    except httpx.TransportError:
                        seen.append("refused")
            assert monotonic() - began >= 1.4
            assert "refused" in seen
            through(stack, "shop->web")
            told = [text for _, text in faults.story if text.endswith((": on", ": healed"))]
            assert told == [
                "latency shop->bank: on",
                "refused shop->web: on", "refused shop->web: healed",
                "refused shop->web: on", "refused shop->web: healed",
                "latency shop->bank: healed",
            ]

        def test_its_end(stack, faults):
            with faults.play([
                faults.refused("shop->web").at(after_ms=0, lasts_ms=60_000),
                faults.refused("shop->bank").at(after_ms=30_000, lasts_ms=60_000),
            ]) as playing:
                failed = 0
                while failed < 2:  # the first may be a connection that the fault found there
                    try:
                        through(stack, "shop->web")
                    except httpx.TransportError:
                        failed += 1
                assert not playing.is_over
            assert playing.is_over
            through(stack, "shop->web")
            assert [text for _, text in faults.story][-1] == (
                "schedule of 2 faults: 1 of 2 faults had not begun at its end"
            )
        """,
    )
    shop.run().assert_outcomes(passed=2)
    assert left_on(shop) == []


def test_python_that_plays_a_schedule_again_should_be_shown_when_its_test_is_red(
    shop: Tiny,
) -> None:
    proxied(
        shop,
        """
        def load(stack, playing):
            while not playing.is_over:
                for edge in PORTS:
                    try:
                        through(stack, edge, timeout=0.2)
                    except httpx.TransportError:
                        pass

        def test_red(stack, faults):
            with faults.schedule(seed=7, lasts_s=0.5) as playing:
                load(stack, playing)
            assert "a check that comes after the schedule" == ""
        """,
    )
    first = shop.run()
    first.assert_outcomes(failed=1)
    shown = re.search(
        r"schedule of seed 7; to play it again: (with faults\.play\(\[\n.*?\n\]\):)",
        first.stdout.str(),
        re.DOTALL,
    )
    assert shown, first.stdout.str()
    began = re.findall(r"s  (\w+ \S+): on", first.stdout.str())
    assert len(began) >= 2

    text = (shop.path / "test_tiny.py").read_text()
    body = "with faults.schedule(seed=7, lasts_s=0.5) as playing:"
    # Only indented: what is shown is to be copied as it is.
    pasted = shown[1].replace("\n", "\n    ").removesuffix(":") + " as playing:"
    assert text.count(body) == 1
    shop.tests(text.replace(body, pasted))
    again = shop.run()
    again.assert_outcomes(failed=1)
    assert re.findall(r"s  (\w+ \S+): on", again.stdout.str()) == began
    assert left_on(shop) == []


def test_a_schedule_should_make_the_test_an_error_when_none_of_it_met_traffic(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_none(stack, faults):
            with faults.schedule(seed=7, edges=["shop->web"], lasts_s=0.3) as playing:
                playing.wait()
                through(stack, "shop->bank")

        def test_said_so(faults):
            with faults.schedule(seed=7, lasts_s=0.3, expect_traffic=False) as playing:
                playing.wait()

        def test_one_is_enough(stack, faults):
            with faults.play([
                faults.latency("shop->web", latency_ms=1).at(after_ms=0, lasts_ms=1000),
                faults.slice("shop->bank").at(after_ms=0, lasts_ms=100),
            ]) as playing:
                while not playing.is_over:
                    through(stack, "shop->web")
            assert "slice shop->bank: had no effect" in [text for _, text in faults.story]
        """,
    )
    result = shop.run()
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        ["faults of this test: the fault schedule of seed 7 met no traffic"]
    )


def test_a_schedule_should_need_no_edges_when_it_is_of_services(tiny: Tiny) -> None:
    tiny.compose(web=server(healthcheck=LISTENS))
    tiny.tests("""
        def test_it(stack, faults):
            kinds = ["pause", "restart", "stop", "kill"]
            with faults.schedule(7, services=["web"], kinds=kinds, lasts_s=0.3, steps=2) as playing:
                playing.wait()
            assert stack["web"].http.get("/").status_code == 200
            told = {text for _, text in faults.story}
            assert told & {f"{kind} web: healed" for kind in kinds}
    """)
    tiny.run().assert_outcomes(passed=1)


def test_a_schedule_should_end_and_say_why_when_one_of_its_faults_cannot_begin(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_clashes(faults):
            with faults.play([
                faults.latency("shop->web", latency_ms=5).at(after_ms=0, lasts_ms=9000),
                faults.refused("shop->bank").at(after_ms=5000, lasts_ms=9000),
            ]) as playing, faults.refused("shop->bank", expect_traffic=False):
                playing.wait()

        def test_unknown(faults):
            with faults.play([faults.refused("shop->bnak").at(after_ms=60_000, lasts_ms=1)]):
                assert False, "it is refused before anything is broken"
        """,
    )
    result = shop.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E *ConflictingFaultsError: fault refused shop->bank: two faults that contradict *",
            "*schedule of 2 faults: went no further: ConflictingFaultsError: *",
            "*latency shop->web: healed",
            "E *UnknownEdgeError: stack *: there is no edge 'shop->bnak'",
        ]
    )
    result.stdout.no_fnmatch_line("*it is refused before*")
    assert left_on(shop) == []


def test_an_edge_should_be_claimed_when_its_fault_in_a_schedule_has_not_begun(shop: Tiny) -> None:
    proxied(
        shop,
        """
        from nomock.faults.locking.claims import Claims

        def test_it(stack, faults):
            others = Claims(stack.settings.state_dir, stack.name)
            late = faults.refused("shop->web").at(after_ms=60_000, lasts_ms=1)
            with faults.play([late], expect_traffic=False):
                assert not others._part("shop->web").enters()
                assert others._part("shop->bank").enters()
        """,
    )
    shop.run().assert_outcomes(passed=1)


def test_hypothesis_should_be_asked_for_when_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("nomock.faults.generate.strategy", "nomock.adapters.hypothesis"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ConfigError) as refused:
        import nomock.faults.generate.strategy  # noqa: F401
    assert str(refused.value) == (
        "examples that it is to generate: Hypothesis is not installed\n"
        "-> pip install 'nomock[hypothesis]'"
    )


@pytest.mark.slow
def test_hypothesis_should_shrink_to_one_fault_when_a_service_does_not_stand_it(
    shop: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its plugin takes the arguments out of what Hypothesis prints.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:schemathesis")
    proxied(
        shop,
        """
        from hypothesis import HealthCheck, given, settings
        from nomock.faults.generate.strategy import schedules

        # The defect: it stands a slow bank, and a web that is away, but no bank that is away.
        def shop(stack):
            done = set()
            for edge in PORTS:
                try:
                    through(stack, edge)
                except httpx.TransportError:
                    continue
                done.add(edge)
            return "shop->bank" in done

        @given(
            schedule=schedules(
                edges=PORTS,
                kinds=["latency", "bandwidth", "refused"],
                lasts_s=3,
                # Not a question of speed: far longer than both requests take.
                least_ms=1500,
                steps=3,
            )
        )
        @settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=20,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        def test_shop(stack, faults, schedule):
            with faults.play(schedule, expect_traffic=False) as playing:
                while not playing.is_over:
                    assert shop(stack)
        """,
    )
    result = shop.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *schedule=[[]",
            'E *faults.refused("shop->bank").at(after_ms=0, lasts_ms=1500),',
        ],
        consecutive=True,
    )
    assert left_on(shop) == []
