"""Every key that a compose file may have changes an object, or stands in the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import key_table
import pytest
from compose_keys import BESIDE, CHECK, NEEDED, NOTHING_TO_TELL, SERVICE
from rendering import Objects, rendered

from nomock.sandbox.render.keys import TABLE


def shop(root: Path, service: Mapping[str, Any], **top: Any) -> Objects:
    (root / "app").mkdir(exist_ok=True)
    (root / "app" / "file").write_text("content", encoding="utf-8")
    beside = {
        "networks": {"front": {}},
        "volumes": {"data": {}},
        "configs": {"given": {"content": "a"}},
        "secrets": {"given": {"file": str(root / "app" / "file")}},
    }
    services = {"web": {"expose": ["80"], **service}, "other": {}}
    for volume in services["web"].get("volumes") or []:
        if volume["type"] == "bind":
            volume |= {"source": str(root / "app"), "read_only": True}
    return rendered(root, services, **{**beside, **top})


def said(path: str, value: Any) -> dict[str, Any]:
    return {path.partition(".")[0]: value}


def without(path: str, value: Any) -> dict[str, Any]:
    """Return the same service without this key: without all of it where nothing is above it."""
    key, _, below = path.partition(".")
    if not below:
        return {}
    rest = _without(value, below.split("."))
    return {key: rest} if rest else {}


def _without(value: Any, path: list[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    if path[0] not in value:  # names that the user gave are not in the path
        return {name: _without(part, path) for name, part in value.items()}
    if len(path) == 1:
        return {name: part for name, part in value.items() if name != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}


@pytest.mark.parametrize("path", sorted(SERVICE))
def test_a_key_should_change_an_object_or_be_in_the_report_when_a_service_has_it(
    tmp_path: Path, path: str
) -> None:
    value = SERVICE[path]
    before = shop(tmp_path, {} if path in NEEDED else without(path, value))
    after = shop(tmp_path, said(path, value))
    assert after.all != before.all or after.lost != before.lost


@pytest.mark.parametrize("path", sorted(NOTHING_TO_TELL))
def test_a_key_should_be_in_no_report_when_nothing_is_lost_of_it(tmp_path: Path, path: str) -> None:
    assert shop(tmp_path, said(path, NOTHING_TO_TELL[path])).lost == []


@pytest.mark.parametrize("path", sorted(BESIDE))
def test_a_key_should_be_in_the_report_when_it_stands_beside_the_services(
    tmp_path: Path, path: str
) -> None:
    kind, _, key = path.partition(".")
    found = shop(tmp_path, {}, **{kind: BESIDE[path]})
    ends = [name.rpartition(".")[2] for service, name in found.lost if service == "-"]
    assert ends == [key or next(iter(BESIDE[path]), "")] or ends == [kind]


def test_a_key_should_have_been_tried_when_the_table_has_a_row_for_it() -> None:
    tried = {*SERVICE, *NOTHING_TO_TELL}
    tried = {f"services.*.{path}" for path in tried} | set(BESIDE)
    # Keys that only say how the file was read, or where an answer stands beside.
    known = {"name", "version", "include", "x-nomock", "services.*.x-nomock"}
    untried = []
    for row in TABLE:
        plain = row.replace("services.*.", "services/").replace(".*", "").replace("/", ".*.")
        names = any(path == plain or path.startswith(f"{plain}.") for path in tried)
        below = any(plain.startswith(f"{path}.") for path in tried)
        if not (names or below or row in known or plain.endswith(".name")):
            untried.append(row)
    # Of these the tests of networks, volumes, configs and secrets tell.
    assert untried == [
        "networks.*.attachable",
        "networks.*.internal",
        "volumes.*.x-nomock",
        "configs.*.file",
        "configs.*.content",
        "configs.*.environment",
        "secrets.*.file",
        "secrets.*.environment",
    ]


def test_a_key_should_be_in_the_report_when_nobody_knows_it(tmp_path: Path) -> None:
    found = shop(
        tmp_path,
        {"brand_new": {"a": 1}, "healthcheck": {**CHECK, "newer": 2}, "x-nomock": {"claim": True}},
        newest=[1],
    )
    assert [
        (line.service, line.key, line.value, line.why) for line in found.rendered.report.lines
    ] == [
        ("web", "brand_new", '{"a": 1}', "nomock does not know this key"),
        ("web", "healthcheck.newer", "2", "nomock does not know this key"),
        ("web", "x-nomock", '{"claim": true}', "it counts only at the top of the file"),
        ("-", "newest", "1", "nomock does not know this key"),
    ]


def test_a_report_should_show_no_secret_when_a_key_holds_one(tmp_path: Path) -> None:
    options = {"syslog-address": "udp://me:pass-word-1@logs", "token": "t0ken-value"}
    found = shop(tmp_path, {"storage_opt": options, "external_links": ["a://me:pass-word-1@b"]})
    text = str(found.rendered.report.as_json())
    assert "storage_opt" in text
    assert "pass-word-1" not in text
    assert "t0ken-value" not in text


def test_the_table_of_the_page_should_be_as_made_when_the_renderer_is_asked() -> None:
    written = key_table.found(key_table.PAGE.read_text(encoding="utf-8"))
    assert written == key_table.table(), "python tests/harness/support/key_table.py"
