"""A real browser on a stack never seen before: whose its requests are, and what is kept."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from evidenced import evidence_of
from tiny import LISTENS, Tiny, server

from nomock.browser.finding import find_browser
from nomock.browser.marks import marked
from nomock.errors import ConfigError

pytestmark = pytest.mark.skipif(find_browser(None) is None, reason="no Chromium on the PATH")

# Answers with the headers that came, and goes where it is asked to.
ECHO = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("GET", self.path, "baggage:", self.headers.get("baggage", ""), flush=True)
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to?"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"<title>The shop</title><h1>shop</h1><a href=/ target=_blank>more</a>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "session=a-secret-of-a-user")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
SHOP = {
    **server(healthcheck=LISTENS),
    "command": ["python3", "-u", "-c", ECHO.replace("$", "$$")],
}


@pytest.fixture
def shop(tiny: Tiny) -> Tiny:
    """A stack of two services of any kind."""
    tiny.compose(shop=SHOP, other=SHOP)
    return tiny


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """A server that is of no stack: its URL, and the baggage of each request to it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("baggage", ""))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    strange = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=strange.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{strange.server_address[1]}", seen
    strange.shutdown()
    strange.server_close()


def test_requests_should_carry_the_test_when_they_go_to_the_stack_alone(
    shop: Tiny, stranger: tuple[str, list[str]]
) -> None:
    url, seen = stranger
    shop.tests(f"""
    def test_opens(stack, browser_page):
        browser_page.goto("http://shop:8000/by-name")
        browser_page.goto(stack["shop"].url + "/by-address")
        browser_page.goto("http://shop:8000/to?http://other:8000/redirected")
        browser_page.goto("http://shop:8000/to?{url}/stranger")
        browser_page.goto("{url}/stranger")
        browser_page.goto("http://shop:8000/")
        with browser_page.expect_popup() as opened:
            browser_page.get_by_text("more").click()
        opened.value.wait_for_load_state()
        asked = [line for name in stack for line in stack[name].logs().splitlines()]
        for path in ("/by-name", "/by-address", "/redirected", "/"):
            own = [line for line in asked if f"GET {{path}} " in line]
            assert own, (path, asked)
            assert all("nomock.test=test_tiny.py%3A%3Atest_opens" in line for line in own), own
        assert len([line for line in stack["shop"].logs().splitlines() if "GET / " in line]) >= 2
    """)
    shop.run().assert_outcomes(passed=1)
    assert len([baggage for baggage in seen if not baggage]) == len(seen) >= 2


def test_evidence_should_have_the_page_and_its_requests_when_a_test_of_a_browser_fails(
    shop: Tiny,
) -> None:
    shop.tests("""
    def test_fails(stack, browser_page):
        browser_page.goto("http://shop:8000/?token=very-secret-indeed")
        browser_page.evaluate("console.warn('careful: password=also-very-secret')")
        browser_page.evaluate("setTimeout(() => { throw new Error('nobody catches it') })")
        browser_page.wait_for_function("true")
        assert browser_page.title() == "Another shop"
    """)
    shop.run().assert_outcomes(failed=1)
    found = evidence_of(shop, "test_fails")
    (page,) = found["pages"]
    assert page["title"] == "The shop"
    assert page["url"].startswith("http://shop:8000/?token=")
    assert base64.b64decode(page["picture"])[:3] == b"\xff\xd8\xff"
    said = [(line["level"], line["text"].split(":")[0]) for line in page["console"]]
    assert ("warning", "careful") in said
    assert any("nobody catches it" in line["text"] for line in page["console"])
    first = found["exchanges"][0]
    assert (first["method"], first["status"], first["answer"]["text"][:7]) == (
        "GET",
        200,
        "<title>",
    )
    assert "secret" not in str({**found, "failures": [], "logs": []}).replace("[secret]", "")


def test_test_should_be_skipped_with_the_reason_when_there_is_no_browser(
    shop: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = shop.path / "nowhere"
    nowhere.mkdir()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(nowhere))
    shop.write("conftest.py", "import nomock.browser.finding as f\nf.NAMES = ()\n")
    shop.tests("def test_opens(browser_page): pass")
    run = shop.run("-rs")
    run.assert_outcomes(skipped=1)
    run.stdout.fnmatch_lines(["*browser_page: there is no browser*"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("no-such-program", "*NOMOCK_BROWSER: there is no such program*"),
        ("false", "*browser_page, */false: the browser does not start*"),
    ],
)
def test_test_should_be_an_error_when_the_browser_that_is_named_does_not_start(
    shop: Tiny, monkeypatch: pytest.MonkeyPatch, setting: str, says: str
) -> None:
    monkeypatch.setenv("NOMOCK_BROWSER", setting)
    shop.tests("def test_opens(browser_page): pass")
    run = shop.run()
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines([says])


def test_page_should_see_no_answer_when_the_service_is_not_there(shop: Tiny) -> None:
    shop.tests("""
    import pytest

    def test_stops(stack, browser_page, faults):
        with faults.kill("shop"):
            with pytest.raises(Exception, match="ERR_EMPTY_RESPONSE"):
                browser_page.goto("http://shop:8000/")
        # On another port of this machine by now.
        assert browser_page.goto("http://shop:8000/").status == 200
    """)
    shop.run().assert_outcomes(passed=1)


def test_other_drivers_should_reach_the_stack_when_they_are_given_the_proxy(shop: Tiny) -> None:
    shop.tests("""
    import asyncio
    import urllib.request

    def test_asks(stack, browser_proxy):
        asyncio.run(asyncio.sleep(0))
        through = urllib.request.ProxyHandler({"http": browser_proxy})
        with urllib.request.build_opener(through).open("http://shop:8000/driven") as reply:
            assert reply.status == 200
        (line,) = [x for x in stack["shop"].logs().splitlines() if "/driven" in x]
        assert "test_asks" in line
    """)
    shop.run().assert_outcomes(passed=1)


def test_a_pages_own_headers_should_be_kept_when_its_request_is_marked() -> None:
    headers = [("Baggage", "user=1"), ("Traceparent", "00-a-b-01"), ("Host", "shop:8000")]
    found = {name.lower(): value for name, value in marked(headers)}
    assert found["baggage"].startswith("user=1")
    assert (found["traceparent"], found["host"]) == ("00-a-b-01", "shop:8000")


def test_finding_should_name_the_setting_when_it_is_wrong() -> None:
    with pytest.raises(ConfigError) as error:
        find_browser(f"{os.sep}nowhere")
    assert str(error.value) == (
        "browser in [tool.nomock], or NOMOCK_BROWSER: there is no such program\n"
        f"  {os.sep}nowhere\n"
        "-> name the program of a Chromium, or name none"
    )
