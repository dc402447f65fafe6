"""The faults on HTTP requests, as a test uses them: on an edge through both proxies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest
from http_edge import fault_proxy, web
from proxied import toxiproxy
from tiny import Tiny, clear

BEGIN = """
    import json
    from subprocess import check_output
    from sys import executable
    from uuid import uuid4

    import httpx
    import pytest
    from nomock.adapters.http import client
    from nomock.errors import ConflictingFaultsError, ConfigError, UnknownEdgeError

    EDGE = "shop->web"

    @pytest.fixture
    def web(stack):
        # As a service would call it: over the edge, with the test's baggage.
        with client(f"http://127.0.0.1:{stack['toxiproxy'].port(18000)}") as http:
            yield http
"""


@pytest.fixture(scope="module")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder and the name of the project of `shop` here, whose edge has both proxies."""
    name = f"nomock-t-{uuid4().hex[:8]}"
    yield tmp_path_factory.mktemp("http-shop"), name
    clear(name)


def stack_of(tiny: Tiny, tests: str) -> Tiny:
    """Write a stack with an edge that speaks HTTP and one that does not, and a test file."""
    edges = {"shop->web": (18000, "httpfaults:18001"), "shop->store": (18001, "web:8000")}
    tiny.write("edges.json", json.dumps([edge(name, *ports) for name, ports in edges.items()]))
    tiny.write("httpfaults.json", json.dumps([edge("shop->web", 18001, "web:8000")]))
    tiny.compose(toxiproxy=toxiproxy(), httpfaults=fault_proxy(), web=web())
    tiny.tests(dedent(BEGIN) + dedent(tests))
    return tiny


def edge(name: str, port: int, upstream: str) -> dict[str, object]:
    return {"name": name, "listen": f"0.0.0.0:{port}", "upstream": upstream, "enabled": True}


def rules_left(tiny: Tiny) -> object:
    return tiny.stack()["httpfaults"].http.get("/rules").json()


def test_every_http_fault_should_bite_its_own_test_only_when_its_block_is_open(
    shop: Tiny,
) -> None:
    stack_of(
        shop,
        """
        def story(faults):
            return [text for _, text in faults.story]

        def test_status(web, faults):
            with faults.http_status(EDGE, 429, body={"why": "late"}, path="/ec*", nth=2):
                answers = [web.get("/echo") for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 429, 200]
            assert answers[1].json() == {"why": "late"}
            with faults.http_status(EDGE, body="away", method="PUT"):
                assert web.put("/echo").text == "away"
                assert web.post("/echo").status_code == 200
            assert web.put("/echo").status_code == 200
            assert "http_status shop->web: 1 of 3 requests met it" in story(faults)

        def test_delay(web, faults):
            with faults.http_delay(EDGE, delay_ms=60_000):
                with pytest.raises(httpx.ReadTimeout):
                    web.get("/echo", timeout=0.3)
            assert web.get("/echo").status_code == 200

        def test_half(web, faults):
            with faults.http_half(EDGE), pytest.raises(httpx.RemoteProtocolError):
                web.get("/echo")
            assert web.get("/echo").status_code == 200

        def test_twice(web, faults):
            key = uuid4().hex
            with faults.http_twice(EDGE, method="POST"):
                assert web.post(f"/count?key={key}&of={key}").text == "2"
            assert web.post(f"/count?key={key}&of={key}").text == "3"

        def test_together(web, faults):
            with faults.http_status(EDGE, 500, nth=1), faults.http_status(EDGE, 502, nth=2):
                with faults.http_delay(EDGE, delay_ms=1):
                    assert [web.get("/echo").status_code for _ in "123"] == [500, 502, 200]

        def test_beside_another_tests(stack, web, faults):
            port = stack["toxiproxy"].port(18000)
            with faults.http_status(EDGE):
                assert httpx.get(f"http://127.0.0.1:{port}/echo").status_code == 200
                assert web.get("/echo").status_code == 503
            with faults.http_status(EDGE, everyone=True):
                assert httpx.get(f"http://127.0.0.1:{port}/echo").status_code == 503

        ANOTHER_RUN = (
            "import sys\\n"
            "from nomock import baggage\\n"
            "from nomock.adapters.http import client\\n"
            "baggage.set_current_test(sys.argv[1])\\n"
            "print(client(sys.argv[2]).get('/echo').status_code)"
        )

        def test_beside_its_own_of_another_run(web, faults, request):
            with faults.http_status(EDGE, nth=1):
                words = [executable, "-c", ANOTHER_RUN, request.node.nodeid, str(web.base_url)]
                assert check_output(words, text=True).strip() == "200"
                assert web.get("/echo").status_code == 503
        """,
    )
    shop.run().assert_outcomes(passed=7)
    assert rules_left(shop) == []


def test_a_test_should_be_an_error_when_its_http_fault_met_nothing(shop: Tiny) -> None:
    stack_of(
        shop,
        """
        def test_another_path(web, faults):
            with faults.http_status(EDGE, path="/other"):
                assert web.get("/echo").status_code == 200

        def test_no_body_to_halve(web, faults):
            with faults.http_half(EDGE):
                assert web.get("/no-content").status_code == 204

        def test_said_so(faults):
            with faults.http_twice(EDGE, expect_traffic=False):
                pass

        def test_expired(web, faults):
            with faults.http_status(EDGE, expires_s=1):
                while web.get("/echo").status_code == 503:
                    pass
        """,
    )
    done = shop.run()
    done.assert_outcomes(passed=4, errors=3)
    done.stdout.fnmatch_lines(
        [
            "*faults of this test: the fault http_status shop->web met no traffic",
            "*faults of this test: the fault http_half shop->web met no traffic",
        ]
    )
    assert rules_left(shop) == []


def test_an_http_fault_should_be_refused_when_it_cannot_be(shop: Tiny) -> None:
    stack_of(
        shop,
        """
        def refusal(on):
            with pytest.raises(ConfigError) as refused, on:
                pytest.fail("it began")
            return str(refused.value)

        @pytest.mark.parametrize("kind, arguments, said", [
            ("http_half", dict(edge="shop->store"), "'shop->store' is no HTTP edge; those are: "
                                                    "shop->web"),
            ("http_half", dict(nth=0), "nth must be from 1 to 1000000, not 0"),
            ("http_half", dict(method="FETCH"), "method must be one of DELETE, GET, HEAD, "
                                                "OPTIONS, PATCH, POST, PUT, TRACE, not 'FETCH'"),
            ("http_status", dict(status=99), "status must be from 200 to 599, not 99"),
            ("http_status", dict(status="503"), "status must be int, not '503'"),
            ("http_status", dict(status=204, body="x"), "an answer of 204 has no body"),
            ("http_delay", dict(delay_ms=0), "delay_ms must be from 1 to 600000, not 0"),
            ("http_twice", dict(path="x"), "path must begin with /, have no query, and * at its "
                                           "end only, not 'x'"),
        ])
        def test_argument(faults, kind, arguments, said):
            arguments = {"edge": EDGE, **arguments}
            on = getattr(faults, kind)(**arguments)
            assert refusal(on) == f"fault {kind} {arguments['edge']}: {said}"

        def test_unknown_edge(faults):
            assert "the edges are: shop->store, shop->web" in refusal(faults.http_half("shop->wbe"))

        def test_clash(web, faults):
            with faults.http_status(EDGE, 500):
                for other in (faults.http_status(EDGE, 502), faults.http_status(EDGE, nth=1)):
                    with pytest.raises(ConflictingFaultsError), other:
                        pytest.fail("it began")
                assert web.get("/echo").status_code == 500
        """,
    )
    shop.run().assert_outcomes(passed=10)
    assert rules_left(shop) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (True, "no service of this stack is the HTTP fault proxy"),
        (False, "it does not answer"),
    ],
    ids=["missing", "frozen"],
)
def test_an_http_fault_should_say_what_is_missing_when_its_proxy_is_not_there(
    tiny: Tiny, missing: bool, said: str
) -> None:
    stack_of(
        tiny,
        """
        def test_it(stack, faults):
            if "httpfaults" in {s for s in stack.project.services}:
                stack["httpfaults"].kill("SIGSTOP")
            with faults.http_status(EDGE):
                pass
        """,
    )
    if missing:
        tiny.compose(toxiproxy=toxiproxy(), web=web())
    done = tiny.run()
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([f"*{said}*"])


@pytest.mark.slow
def test_http_faults_should_meet_their_own_tests_only_when_workers_share_an_edge(
    shop: Tiny,
) -> None:
    stack_of(
        shop,
        """
        @pytest.mark.parametrize("number", range(20))
        def test_it(web, faults, number):
            status = 400 + number
            for turn in range(5):
                with faults.http_status(EDGE, status, nth=2):
                    found = [web.get("/echo").status_code for _ in range(3)]
                assert found == [200, status, 200]
                assert web.get("/echo").status_code == 200
        """,
    )
    shop.run("-n", "2").assert_outcomes(passed=20)
    assert rules_left(shop) == []


def test_a_rule_should_be_removed_by_the_next_run_when_its_own_was_killed(shop: Tiny) -> None:
    stack_of(
        shop,
        """
        import os, signal

        def test_it(faults, web):
            with faults.http_status(EDGE, everyone=True):
                os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert shop.run().ret != 0
    assert shop.stack()["httpfaults"].http.get("/rules").json() != []
    after = "def test_after(web):\n    assert web.get('/echo').status_code == 200\n"
    shop.tests(dedent(BEGIN) + after)
    shop.run().assert_outcomes(passed=1)
    assert rules_left(shop) == []


@pytest.mark.slow
def test_a_rule_should_be_forgotten_by_the_next_run_when_its_proxy_has_left_the_stack(
    tiny: Tiny,
) -> None:
    stack_of(
        tiny,
        """
        import os, signal

        def test_it(faults):
            with faults.http_status(EDGE):
                os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert tiny.run().ret != 0
    tiny.compose(toxiproxy=toxiproxy(), web=web())
    tiny.tests(dedent(BEGIN) + "def test_after(faults):\n    pass\n")
    tiny.run().assert_outcomes(passed=1)
    tiny.nomock("heal").stdout.fnmatch_lines(["healed 0 faults"])
