"""Which tests speak of a changed line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nomock.mutation.live.likeness import Likeness, words_of

TESTS = """
def test_token_should_be_bearer_when_it_is_issued(client):
    assert client.token()["token_type"] == "Bearer"

class TestLimits:
    async def test_login_should_be_refused_when_it_is_tried_too_often(self, client):
        assert client.log_in().status == 429
"""


def test_words_should_be_the_same_when_a_name_is_written_in_another_way() -> None:
    assert words_of("token_type") == words_of("TokenType") == {"token", "type"}
    assert words_of("HTTPError 429 x_1") == {"http", "error", "429", "x"}


def test_test_should_come_first_when_its_source_speaks_of_the_line(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(TESTS, encoding="utf-8")
    tests = [
        "test_a.py::test_token_should_be_bearer_when_it_is_issued[a]",
        "test_a.py::TestLimits::test_login_should_be_refused_when_it_is_tried_too_often",
    ]
    likeness = Likeness(tmp_path, tests)
    line = words_of('return {"token_type": "Bearer"}')
    assert likeness.of(tests[0], line) > likeness.of(tests[1], line)
    line = words_of("if tried > limit: return Response(status=429)")
    assert likeness.of(tests[1], line) > likeness.of(tests[0], line)


@pytest.mark.parametrize("source", [None, b"def test_a(:", b"\xff\xfe"])
def test_test_should_be_known_by_its_name_when_its_file_cannot_be_read(
    source: bytes | None, tmp_path: Path
) -> None:
    if source is not None:
        (tmp_path / "test_a.py").write_bytes(source)
    tests = ["test_a.py::test_price_should_be_right", "test_a.py::test_name_should_be_right"]
    likeness = Likeness(tmp_path, tests)
    assert likeness.of(tests[0], words_of("price")) > 0
    assert likeness.of("another.py::test", words_of("price")) == 0
