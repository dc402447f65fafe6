"""Selectors: what they mean among spans as OpenTelemetry's instrumentations make them."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.errors import ConfigError
from nomock.traces import Selector, Span


def span(service: str, name: str, kind: str = "INTERNAL", **attributes: Any) -> Span:
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return Span("1", "2", "3", name, kind, {"service.name": service}, attributes=named)


SERVED = span(
    "shop",
    "POST /orders/{id}",
    "SERVER",
    http__request__method="POST",
    http__route="/orders/{id}",
    url__path="/orders/7",
    http__response__status_code=202,
)
# As Django's, and those that know the older conventions only.
OLD = span("shop", "POST orders/", "SERVER", http__method="POST", http__target="/orders/?a=b")
CALL = span(
    "shop",
    "POST",
    "CLIENT",
    http__request__method="POST",
    url__full="http://auth:8000/token?a=b",
    server__address="auth",
)
ROW = span("shop", "INSERT", "CLIENT", db__system__name="postgresql", db__query__text="INSERT x")
QUEUED = span(
    "shop",
    "send jobs",
    "PRODUCER",
    messaging__system="kafka",
    messaging__operation__name="send",
    messaging__destination__name="jobs",
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("shop", SERVED),
        ("* POST /orders/{id}", SERVED),
        ("shop POST", SERVED),
        ("shop POST /orders/{id}", SERVED),
        ("shop POST /orders/7", SERVED),
        ("shop  POST   /orders/7 ", SERVED),
        ("shop POST [http.response.status_code=202]", SERVED),
        ("shop [http.route=/orders/{id}] [http.response.status_code = 202]", SERVED),
        ("shop POST orders/", OLD),
        ("shop POST /orders/", OLD),
        ("shop POST /token", CALL),
        ("auth POST /token", CALL),
        ("shop INSERT", ROW),
        ("postgres INSERT", ROW),
        ("postgresql INSERT [db.query.text~SERT x]", ROW),
        ("kafka send jobs", QUEUED),
    ],
)
def test_a_selector_should_mean_a_span_when_its_words_are_in_it(text: str, meant: Span) -> None:
    assert Selector.of(text).matches(meant)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("sho POST", SERVED),  # a service as a whole
        ("shop POST /orders", SERVED),  # whole words
        ("shop GET /orders/7", SERVED),
        ("shop POST [http.response.status_code=20]", SERVED),
        ("shop POST [http.route~nowhere]", SERVED),
        ("postgres INSERT", span("shop", "INSERT", "SERVER", db__system="postgresql")),
        ("redis INSERT", ROW),
        ("postgres INSERT", span("postgres-backup", "INSERT")),
    ],
)
def test_a_selector_should_not_mean_a_span_when_a_word_is_another(text: str, other: Span) -> None:
    assert not Selector.of(text).matches(other)


@pytest.mark.parametrize("text", ["", "  ", "[a=b]", "shop [a]", "shop [a=b", "shop [a=b] POST"])
def test_a_selector_should_be_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Selector.of(text)
    assert str(refused.value) == (
        "trace: this selects no spans\n"
        f"  {text!r}\n"
        '-> "SERVICE NAME [ATTRIBUTE=VALUE]", such as "instances POST /instances": '
        "nomock docs traces"
    )


def test_the_nearest_span_should_be_the_one_most_like_it_when_none_is_meant() -> None:
    spans = [SERVED, CALL, ROW, QUEUED]
    assert Selector.of("shop PUT /orders/{id}").nearest(spans) is SERVED
    assert Selector.of("postgres INSERTS").nearest(spans) is ROW
    assert Selector.of("xyz").nearest(spans) is None
