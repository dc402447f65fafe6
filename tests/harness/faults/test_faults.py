"""The fixture ``faults``: what a test sees of it, and what is left of it."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest
from driving import ready
from proxied import left_on, proxied
from tiny import Tiny, ask, until_gone

from nomock.adapters.engine.beside import OWNER


def watchdogs(shop: Tiny) -> list[str]:
    """Return the ids of the watchdogs beside the containers of a stack."""
    beside = {f"container:{id_}" for id_ in shop.containers().values()}
    found = ask("GET", "/containers/json", all="1", filters=json.dumps({"label": [OWNER]}))
    return [c["Id"] for c in found if c["HostConfig"]["NetworkMode"] in beside]


def until_no_watchdog(shop: Tiny) -> None:
    """Return when all watchdogs have ended: they undo, and the engine removes them."""
    for watchdog in watchdogs(shop):
        until_gone(watchdog)


def test_every_edge_fault_should_bite_and_be_gone_when_its_block_is_over(shop: Tiny) -> None:
    proxied(
        shop,
        """
        EDGE = "shop->web"
        CASES = {
            "latency": (dict(latency_ms=5000), httpx.ReadTimeout),
            "bandwidth": (dict(kb_s=1), None),
            "slow_close": (dict(delay_ms=100), None),
            "blackhole": ({}, httpx.ReadTimeout),
            # On its way to this machine the engine makes an end of the reset.
                "reset": ({}, (httpx.ReadError, httpx.RemoteProtocolError)),
            "slice": (dict(size_bytes=1), None),
            "cut_after": (dict(after_bytes=20), httpx.RemoteProtocolError),
            "refused": ({}, (httpx.ReadError, httpx.RemoteProtocolError, httpx.ConnectError)),
        }

        @pytest.mark.parametrize("kind", CASES)
        def test_it(stack, faults, kind):
            arguments, error = CASES[kind]
            whole = through(stack, EDGE).text
            with getattr(faults, kind)(EDGE, **arguments) as on:
                if error:
                    with pytest.raises(error):
                        through(stack, EDGE, timeout=0.2 if error is httpx.ReadTimeout else 10)
                else:
                    assert through(stack, EDGE).text == whole
                assert through(stack, "shop->bank", timeout=5).text == whole
            assert through(stack, EDGE, timeout=5).text == whole
            assert [text for _, text in faults.story][-1] == f"{on.fault.name}: healed"
        """,
    )
    shop.run().assert_outcomes(passed=8)
    assert left_on(shop) == []
    until_no_watchdog(shop)
    assert watchdogs(shop) == []
    assert list((shop.path / ".nomock/faults" / shop.name).iterdir()) == []


def test_a_test_should_be_an_error_when_its_fault_met_nothing(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_beside(stack, faults):
            with faults.latency("shop->web", latency_ms=100):
                through(stack, "shop->bank")

        def test_said_so(faults):
            with faults.refused("shop->web", expect_traffic=False):
                pass

        def test_red_anyway(faults):
            with faults.latency("shop->web", latency_ms=100):
                assert False

        def test_null_object(stack, faults):
            with faults.none(), faults.none("shop->web"), faults.refused("shop->bank"):
                through(stack, "shop->web", timeout=5)
                with pytest.raises(httpx.HTTPError):
                    through(stack, "shop->bank")

        def test_null_object_nowhere(faults):
            from nomock.errors import UnknownEdgeError
            with pytest.raises(UnknownEdgeError), faults.none("shop->moon"):
                pass
        """,
    )
    result = shop.run()
    result.assert_outcomes(passed=4, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_beside*",
            "faults of this test: the fault latency shop->web met no traffic",
            "-> send what must meet it while it is on, or say expect_traffic=False",
        ]
    )
    assert left_on(shop) == []


def test_a_book_of_writes_should_be_an_error_when_it_was_never_checked(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("""
        def test_forgotten(acknowledged):
            acknowledged.ok("a", "202")

        def test_checked(acknowledged):
            acknowledged.ok("a", "202")
            acknowledged.check(["a"])

        def test_unused(acknowledged):
            pass

        def test_not_possible(acknowledged):
            from nomock.errors import NotPossibleError

            acknowledged.ok("a", "202")
            raise NotPossibleError("no such kind here", where="fault pause web")
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=3, errors=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["acknowledged: 1 writes: 1 ok, 0 unknown, 0 failed, never checked", "-> acknowledged.*"]
    )


def test_a_test_should_show_its_faults_and_heal_them_when_it_is_red(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_red(stack, faults):
            with faults.latency("shop->web", latency_ms=100), faults.refused("shop->bank"):
                through(stack, "shop->web")
                through(stack, "shop->bank")

        def test_after(stack):
            through(stack, "shop->web", timeout=5)
            through(stack, "shop->bank", timeout=5)
        """,
    )
    result = shop.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Faults of the test*",
            "* latency shop->web: on",
            "* refused shop->bank: on",
            "* refused shop->bank: healed",
            "* latency shop->web: * packets with data met it",
            "* latency shop->web: healed",
        ]
    )
    assert left_on(shop) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            'faults.latency("shop->wep", latency_ms=1)',
            [
                "stack NAME: there is no edge 'shop->wep'",
                "the edges are: shop->bank, shop->web",
                "-> did you mean 'shop->web'?",
            ],
        ),
        (
            'faults.refused("web->bank")',
            [
                "stack NAME: the edge 'web->bank' does not run through Toxiproxy",
                "the edges are: shop->bank, shop->web",
                "-> route this connection through Toxiproxy: nomock docs faults",
            ],
        ),
        (
            'faults.latency("shop->web", latency_ms=-5)',
            [
                "fault latency shop->web: latency_ms cannot be -5",
                "it is a whole number from 1 to 600000",
            ],
        ),
        (
            'faults.latency("shop->web", latency_ms=86_400_000)',
            [
                "fault latency shop->web: latency_ms cannot be 86400000",
                "it is a whole number from 1 to 600000",
            ],
        ),
        (
            'faults.blackhole("shop->web", direction="sideways")',
            [
                "fault blackhole shop->web: direction cannot be 'sideways'",
                'it is "to", "from" or "both"',
            ],
        ),
        (
            'faults.latency("shop->web", latency_ms=1, expires_s=0)',
            [
                "fault latency shop->web: expires_s cannot be 0",
                "it is a number of seconds from 1 to 86400",
            ],
        ),
    ],
    ids=["unknown", "not proxied", "negative", "absurd", "direction", "expiry"],
)
def test_a_fault_should_be_refused_with_the_reason_when_it_cannot_be(
    shop: Tiny, call: str, said: list[str]
) -> None:
    proxied(
        shop,
        f"""
        def test_it(faults):
            with {call}:
                pass
        """,
    )
    result = shop.run()
    result.assert_outcomes(failed=1)
    shown = [
        re.sub(r"^E +(nomock\.errors\.\w+: )?", "", shop.plain(line))
        for line in result.outlines
        if line.startswith("E   ")
    ]
    assert shown == said
    assert left_on(shop) == []


def test_a_fault_should_be_refused_when_it_contradicts_one_that_is_on(shop: Tiny) -> None:
    proxied(
        shop,
        """
        from nomock.errors import ConflictingFaultsError

        @pytest.mark.parametrize("other", [
            lambda faults: faults.latency("shop->web", latency_ms=7),
            lambda faults: faults.refused("shop->web"),
        ])
        def test_it(stack, faults, other):
            with faults.latency("shop->web", latency_ms=5):
                with pytest.raises(ConflictingFaultsError) as refused, other(faults):
                    pass
                # What does not contradict goes together.
                with faults.slice("shop->web"), faults.latency("shop->bank", latency_ms=5):
                    through(stack, "shop->web")
                    through(stack, "shop->bank")
            assert "on already: latency shop->web" in str(refused.value)
        """,
    )
    shop.run().assert_outcomes(passed=2)
    assert left_on(shop) == []


def test_the_baggage_of_a_test_should_name_its_faults_when_they_are_on(shop: Tiny) -> None:
    proxied(
        shop,
        """
        from nomock import baggage

        def test_it(stack, faults):
            with faults.latency("shop->web", latency_ms=5, expect_traffic=False):
                with faults.slice("shop->web", expect_traffic=False):
                    inner = baggage.current_fault()
                outer = baggage.current_fault()
            assert (inner, outer) == ("latency shop->web + slice shop->web", "latency shop->web")
            assert baggage.current_fault() == ""
        """,
    )
    shop.run().assert_outcomes(passed=1)


def test_a_fault_should_name_the_service_when_toxiproxy_does_not_run(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_it(stack, faults):
            stack["toxiproxy"].kill()
            with faults.latency("shop->web", latency_ms=5):
                pass
        """,
    )
    result = shop.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *service toxiproxy: port 8474 is not open: *"])


def test_a_fault_should_say_how_to_have_toxiproxy_when_the_stack_has_none(tiny: Tiny) -> None:
    from tiny import idle

    tiny.compose(only=idle())
    tiny.tests("""
        def test_it(faults):
            with faults.latency("a->b", latency_ms=5):
                pass
    """)
    result = tiny.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *stack * no service of this stack is Toxiproxy", "E *publish port 8474: none"]
    )


KILLED = """
        def test_killed(stack, faults):
            with faults.latency("shop->web", latency_ms=5), faults.refused("shop->bank"):
                Path("on").touch()
                os.kill(os.getpid(), 9)
"""


def test_a_killed_run_should_leave_nothing_when_its_watchdog_hears_of_it(shop: Tiny) -> None:
    proxied(shop, KILLED)
    assert shop.run().ret == -signal.SIGKILL
    until_no_watchdog(shop)
    assert left_on(shop) == []
    assert watchdogs(shop) == []


def test_a_watchdog_should_be_gone_when_its_ground_is_closed(shop: Tiny) -> None:
    proxied(shop, "")
    with ready(shop) as (_, control):
        watchdog = control.watchdog("web")
        assert watchdogs(shop) == [watchdog.id]
    until_no_watchdog(shop)
    assert watchdogs(shop) == []


def test_a_run_should_heal_what_is_left_when_the_one_before_was_killed(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_killed(stack, faults):
            with faults.latency("shop->web", latency_ms=5), faults.refused("shop->bank"):
                # Not even a watchdog to undo it.
                for watchdog in faults._session.control._watchdogs.values():
                    stack.engine.kill(watchdog.id)
                os.kill(os.getpid(), 9)
        """,
    )
    assert shop.run().ret == -signal.SIGKILL
    assert sorted(left_on(shop)) == ["shop->bank", "shop->web"]
    shop.tests("def test_after(stack): pass")
    result = shop.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "healing refused shop->bank, left by test_tiny.py::test_killed",
            "healing latency shop->web, left by test_tiny.py::test_killed",
        ]
    )
    assert left_on(shop) == []
    assert list((shop.path / ".nomock/faults" / shop.name).iterdir()) == []


def test_a_fault_should_be_healed_when_ctrl_c_ends_the_run(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_interrupted(stack, faults):
            with faults.latency("shop->web", latency_ms=5):
                os.kill(os.getpid(), 2)
                Event().wait(30)
        """,
    )
    assert shop.run().ret == pytest.ExitCode.INTERRUPTED
    assert left_on(shop) == []
    assert list((shop.path / ".nomock/faults" / shop.name).iterdir()) == []


def test_faults_should_be_refused_when_another_run_uses_the_stack(shop: Tiny) -> None:
    proxied(
        shop,
        """
        def test_breaks(stack, faults):
            with faults.latency("shop->web", latency_ms=5):
                through(stack, "shop->web")
        """,
    )
    other = shop.stack()
    other.prepare(who="pytest tests/other.py")
    result = shop.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E *fault latency shop->web on stack {shop.name}: another run uses this stack, *",
            f"E *process {os.getpid()}: pytest tests/other.py",
            "E *let that run end, or break it all the same: --faults-on-shared",
        ]
    )
    shop.run("--faults-on-shared").assert_outcomes(passed=1)
    other.close()
    shop.run().assert_outcomes(passed=1)


def test_a_test_should_not_meet_the_faults_of_others_when_they_run_in_parallel(shop: Tiny) -> None:
    proxied(
        shop,
        """
        @pytest.mark.parametrize("n", range(10))
        @pytest.mark.parametrize("edge", PORTS)
        def test_it(stack, faults, edge, n):
            # Whether an edge is whole is what another test's fault would change.
            assert through(stack, edge).status_code == 200
            with faults.refused(edge):
                with pytest.raises((httpx.TransportError)):
                    through(stack, edge, timeout=5)
            with faults.cut_after(edge, after_bytes=10):
                with pytest.raises(httpx.RemoteProtocolError):
                    through(stack, edge, timeout=5)
            assert through(stack, edge).status_code == 200
        """,
    )
    shop.run("-n2").assert_outcomes(passed=20)
    assert left_on(shop) == []


def test_nothing_of_faults_should_be_loaded_when_a_run_has_none(shop: Tiny) -> None:
    proxied(
        shop,
        """
        import sys

        def test_it(stack):
            stack["web"].http.get("/")
            loaded = {"toxiproxy", "requests", "nomock.faults.faults", "nomock.faults.watchdog"}
            assert not loaded & sys.modules.keys()
        """,
    )
    shop.run().assert_outcomes(passed=1)
