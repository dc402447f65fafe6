"""The shapes of answers, and of what was asked for: what each run has anew is not in them."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.parity.shapes import alike, answer_shape, asked_for, merged, shape_of


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1:32768/", "GET /"),
        ("http://127.0.0.1:32768", "GET /"),
        ("http://auth:8000/users/7f3a/orders", "GET /users/{}/orders"),
        ("http://auth:8000/users/a-name-that-was-made-for-this-test", "GET /users/{}"),
        (
            "http://auth:8000/login?state=x&client_id=y&empty=",
            "GET /login?client_id&empty&state",
        ),
    ],
)
def test_ids_and_values_should_be_left_out_when_it_is_said_what_was_asked(
    url: str, asked: str
) -> None:
    assert asked_for("GET", url) == asked


@pytest.mark.parametrize(
    ("text", "is_cut", "shape"),
    [
        (
            '{"id": 7, "tags": ["a", "b"], "done": false}',
            False,
            {"id": "number", "tags": ["text"], "done": "boolean"},
        ),
        ('[{"a": 1}, {"a": null, "b": "x"}]', False, [{"a": "number", "b?": "text"}]),
        ("[]", False, []),
        ("ok", False, "plain"),
        ("", False, ""),
        (None, False, "bytes"),
        ('{"a": 1', True, "cut"),
    ],
)
def test_names_and_types_should_be_told_when_the_shape_of_an_answer_is_asked(
    text: str | None, is_cut: bool, shape: Any
) -> None:
    assert answer_shape(text, is_cut=is_cut) == shape


def test_shapes_should_be_one_when_only_null_empty_lists_and_chance_tell_them_apart() -> None:
    running = shape_of({"id": "a", "ended": None, "tags": []})
    ended = shape_of({"id": "b", "ended": "now", "tags": ["x"]})
    assert alike(running, ended)
    assert alike(merged(running, {"id": "text"}), {"id": "text"})
    assert not alike(running, {"id": "text", "tags": []} | {"more": "text"})
    assert not alike({"id": "text"}, {"id": "number"})
    assert not alike({"id": "text"}, {"id": "text", "more": "text"})
    assert merged("text", ["text"]) == "list or text"
