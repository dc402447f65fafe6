"""What a failing test shows of the services, and a passing one does not."""

from __future__ import annotations

import pytest
from tiny import LISTENS, Tiny, server

from nomock.baggage import set_current_test

ECHO = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, flush=True)
        body = self.headers.get("baggage", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
HTTPServer(("", 8000), Echo).serve_forever()
"""
# The engine copies what a container writes a moment later.
ASK = """
    import pytest
    from threading import Event

    def ask(stack, service, path):
        reply = stack[service].http.get(path)
        while path not in stack[service].logs():
            Event().wait(0.02)
        return reply
"""


@pytest.fixture
def echo(tiny: Tiny) -> Tiny:
    """Two services that print the path of each request, and answer with its baggage."""
    tiny.write("echo.py", ECHO)
    volumes = ["./echo.py:/echo.py:ro"]
    one = server(command=["python3", "-u", "/echo.py"], volumes=volumes, healthcheck=LISTENS)
    tiny.compose(one=one, second=one)
    return tiny


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["serial", "parallel"])
def test_the_logs_in_its_window_should_be_shown_when_a_test_fails(
    echo: Tiny, arguments: list[str]
) -> None:
    echo.tests(
        ASK
        + """
    @pytest.fixture
    def broken(stack):
        ask(stack, "one", "/in-setup")
        raise ValueError

    def test_passes(stack):
        ask(stack, "one", "/of-a-passing-test")

    def test_fails(stack):
        ask(stack, "one", "/in-call-1")
        ask(stack, "second", "/in-call-2")
        ask(stack, "one", "/in-call-3")
        assert False

    def test_with_broken(broken): pass

    def test_plain(): assert False
    """
    )
    result = echo.run(*arguments)
    result.assert_outcomes(passed=1, failed=2, errors=1)
    text = result.stdout.str()
    assert text.count("Service logs in the test's window") == 2
    assert "| /in-setup\n" in text
    calls = [line.partition(" s  ")[2] for line in text.splitlines() if "| /in-call" in line]
    # In the order of time, over all services.
    order = ["one    | /in-call-1", "second | /in-call-2", "one    | /in-call-3"]
    assert [line for line in order if line in calls] == order
    if not arguments:  # beside another test the window has what that one caused, too
        assert calls == order
        assert "/of-a-passing-test" not in text


def test_the_newest_lines_should_be_kept_when_there_are_too_many(
    echo: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOMOCK_LOG_LINES", "2")
    echo.tests(
        ASK
        + """
    def test_fails(stack):
        for number in range(1, 7):
            ask(stack, "one", f"/line-{number}")
        assert False
    """
    )
    result = echo.run()
    result.stdout.fnmatch_lines(
        ["(4 older lines cut: log_lines)", "* s  one | /line-5", "* s  one | /line-6"],
        consecutive=True,
    )
    assert "/line-4" not in result.stdout.str()


def test_a_request_should_name_its_test_when_it_has_baggage_or_is_sent_by_a_thread_or_a_loop(
    echo: Tiny,
) -> None:
    echo.tests("""
        import asyncio
        from threading import Thread
        import pytest

        @pytest.mark.parametrize("case", ["a b,c=ä"])
        def test_baggage(stack, case, request):
            from nomock.baggage import test_of
            http = stack["one"].http
            assert test_of(http.get("/").text) == request.node.nodeid
            own = {"baggage": "user=1,nomock.test=wrong"}
            merged = http.get("/", headers=own).text
            assert merged.startswith("user=1,nomock.test=") and "wrong" not in merged
            assert test_of(merged) == request.node.nodeid
            assert merged.isascii() and " " not in merged and merged.count(",") == 2

            async def many():
                async with stack["one"].async_http as client:
                    return await asyncio.gather(*(client.get("/") for _ in range(3)))
            assert {test_of(r.text) for r in asyncio.run(many())} == {request.node.nodeid}

            seen = []
            thread = Thread(target=lambda: seen.append(test_of(http.get("/").text)))
            thread.start()
            thread.join()
            assert seen == [request.node.nodeid]

        @pytest.fixture(scope="session")
        def from_fixture(stack):
            return stack["one"].http.get("/").text

        def test_fixture(from_fixture):
            assert "test_fixture" in from_fixture
    """)
    echo.run().assert_outcomes(passed=2)


def test_no_test_should_be_named_when_none_runs(echo: Tiny) -> None:
    stack = echo.stack()
    stack.prepare()
    set_current_test(None)
    http = stack["one"].http
    assert http.get("/").text == ""
    assert http.get("/", headers={"baggage": "user=1"}).text == "user=1"
    stack.close()


@pytest.mark.slow
@pytest.mark.parametrize("also", ["", "import nomock.faults.faults"])
def test_the_report_should_have_no_faults_when_a_fixture_of_the_users_has_that_name(
    pytester: pytest.Pytester, also: str
) -> None:
    pytester.makepyfile(f"""
        import pytest
        {also}

        @pytest.fixture
        def faults():
            return ["a fault in the rock"]

        def test_fails(faults):
            assert faults == []
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    assert "Faults of the test" not in result.stdout.str()


def test_a_test_should_be_skipped_when_what_its_fixture_breaks_is_not_possible(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("""
        import pytest
        from nomock.errors import NotPossibleError

        @pytest.fixture(params=["function", "teardown"])
        def broken(request):
            if request.param == "function":
                raise NotPossibleError("no such thing here", where="fault x")
            yield
            raise NotPossibleError("no such thing here", where="fault x")

        @pytest.fixture(scope="module")
        def all_broken():
            raise NotPossibleError("no such thing here", where="fault x")

        def test_one(broken): pass
        def test_two(all_broken): pass
        def test_three(all_broken): pass
    """)
    result = pytester.runpytest_subprocess("-rs")
    # What cannot be undone is an error still.
    result.assert_outcomes(passed=1, skipped=3, errors=1)
    result.stdout.fnmatch_lines(["SKIPPED*fault x: no such thing here"])
