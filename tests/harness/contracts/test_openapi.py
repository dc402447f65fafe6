"""`contracts.openapi`: what a live service answers, held against its OpenAPI document."""

from __future__ import annotations

import json
import sys
from importlib.abc import MetaPathFinder
from typing import Any

from hypothesis import reject, strategies
from tiny import Tiny, server

from nomock.adapters import openapi
from nomock.contracts.rewriting import without_rewriting

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/openapi.json":
            self.reply(200, open("/srv/document.json").read())
        elif path == "/broken.json":
            self.reply(200, "{")
        elif path == "/invalid.json":
            self.reply(200, '{"openapi": "3.1.0", "paths": {"/x": {"get": {"parameters": 7}}}}')
        elif path == "/good":
            print("baggage:", self.headers.get("baggage"), flush=True)
            self.reply(200, '{"id": 1}')
        elif path == "/wrong":
            self.reply(200, '{"id": "one"}')
        elif path == "/crash":
            self.reply(500, "{}")
        else:
            self.reply(404, "{}")

    def reply(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

HTTPServer(("", 8000), Handler).serve_forever()
"""


def operation(*statuses: str) -> dict[str, object]:
    """Return an operation that answers an object with a number, by these statuses."""
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    content = {"application/json": {"schema": schema}}
    return {"responses": {s: {"description": "", "content": content} for s in statuses}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/good": {"get": operation("200")},
        "/wrong": {"get": operation("200")},
        "/crash": {"get": operation("200")},
    },
}
TESTS = """
import json
import pytest
from nomock import ContractError, NotReadyError, OpenApiDocumentError

BROKEN = ("GET /wrong", "GET /crash")

def test_it_should_pass_when_each_answer_is_documented(contracts, stack):
    report = contracts.openapi("web", examples=2, skip=BROKEN)
    assert [o.name for o in report.operations] == ["GET /good"]
    assert 1 <= report.requests <= 4
    assert "baggage: nomock.test=" in stack["web"].logs()

def test_each_breach_should_be_named_when_answers_are_others(contracts):
    with pytest.raises(ContractError) as caught:
        contracts.openapi("web", examples=2)
    text = str(caught.value)
    assert text.startswith("web GET /openapi.json: 2 of 3 operations break their contract")
    assert "web GET /wrong: Response violates schema" in text
    assert "web GET /crash: Server error" in text
    assert "(GET /crash -> 500)" in text

def test_a_file_should_do_when_the_service_has_no_document(contracts):
    contracts.openapi("web", file="document.json", examples=1, skip=BROKEN)

@pytest.mark.parametrize(("path", "seen"), [
    ("/nowhere", "it answered 404"),
    ("/broken.json", "JSONDecodeError"),
    ("/invalid.json", "/x"),
    ("/good", ""),
])
def test_one_message_should_say_so_when_there_is_no_document(contracts, path, seen):
    with pytest.raises(OpenApiDocumentError) as caught:
        contracts.openapi("web", path=path, examples=1)
    assert str(caught.value).startswith(f"web GET {path}: no OpenAPI document can be read")
    assert seen in str(caught.value)

def test_one_message_should_say_so_when_the_service_does_not_answer(contracts, faults):
    with faults.stop("web"), pytest.raises(NotReadyError):
        contracts.openapi("web", examples=1)
"""


def test_each_answer_should_be_held_against_the_document_when_a_service_has_one(tiny: Tiny) -> None:
    web = server(volumes=["./:/srv:ro"], command=["python3", "-u", "/srv/server.py"])
    tiny.compose(web=web)
    tiny.write("server.py", SERVER)
    tiny.write("document.json", json.dumps(DOCUMENT))
    tiny.tests(TESTS)
    tiny.run("-q").assert_outcomes(passed=8)
    kept = json.loads(tiny.path.joinpath(".nomock/quality/contracts.json").read_text())
    assert [check["name"] for check in kept["checks"]] == ["OpenAPI of web"]


def test_few_cases_should_be_made_up_when_none_is_one() -> None:
    drawn, asked = [], []

    @strategies.composite
    def none(draw: Any) -> Any:
        drawn.append(draw(strategies.integers()))
        reject()

    openapi._run(none(), asked.append, examples=4, seed_=0)
    assert asked == []
    assert 4 < len(drawn) < 40


def test_each_case_should_be_asked_when_few_of_those_made_up_are_one() -> None:
    asked: list[int] = []

    @strategies.composite
    def even(draw: Any) -> int:
        number = draw(strategies.integers(min_value=0))
        return int(number) if number % 2 == 0 else reject()

    openapi._run(even(), asked.append, examples=4, seed_=0)
    assert len(asked) == 4


def test_nothing_should_be_rewritten_when_it_is_imported_in_the_block() -> None:
    before = list(sys.meta_path)
    rewriting = [finder for finder in before if "rewrite" in type(finder).__module__]
    assert rewriting, "pytest has another way to rewrite"
    with without_rewriting():
        assert not set(map(id, rewriting)) & set(map(id, sys.meta_path))
        sys.meta_path.append(added := MetaPathFinder())
    assert sys.meta_path == [*before, added]
    sys.meta_path.remove(added)
