"""What commands print for programs: JSON alone on standard output, of the shape in the docs."""

from __future__ import annotations

import json
from dataclasses import fields

from places import ROOT
from proxied import proxied
from schemas import FOLDER, checked
from tiny import IMAGE, Tiny, server

from nomock.parity import Record
from nomock.parity.record import Result
from nomock.sandbox.promotion import Promoted


def test_status_and_edges_should_be_of_their_schemas_when_asked_as_json(tiny: Tiny) -> None:
    proxied(tiny, "def test_it(stack): pass")
    before = tiny.nomock("status", "--json")
    found = checked("status", before.stdout.str())
    assert before.ret == 1
    assert found["stack"] == tiny.name
    assert (found["is_ready"], found["lanes"]) == (False, [])
    told = {(c["name"], c["state"], c["ports"]): c["told"] for c in found["containers"]}
    assert told["web", "no container", ""] == "not running"

    assert tiny.nomock("up").ret == 0
    after = tiny.nomock("status", "--json")
    found = checked("status", after.stdout.str())
    assert (after.ret, found["is_ready"]) == (0, True)
    assert {c["told"] for c in found["containers"]} == {"as it should be"}

    tables = checked("edges", tiny.nomock("edges", "--json").stdout.str())
    [edges] = [table["tests"] for table in tables if "shop->web" in table["tests"]][:1]
    assert edges["shop->web"]["latency"] == []
    one = checked("edges", tiny.nomock("edges", "shop->web", "--json").stdout.str())
    assert all(table["tests"].keys() == {"shop->web"} for table in one)


def test_what_is_written_should_be_told_when_commands_that_write_are_asked_as_json(
    tiny: Tiny,
) -> None:
    tiny.compose(web=server(environment={"API_URL": "http://api:8000"}), api=server())
    for command in ("overlay", "edges --init", "init --dry-run"):
        done = tiny.nomock(*command.split(), "--json")
        assert done.ret == 0, done.stderr.str()
        found = checked(command.removesuffix(" --dry-run").replace(" --", "-"), done.stdout.str())
        if command == "init --dry-run":
            assert {service["name"] for service in found["services"]} >= {"api", "web"}
            assert not (tiny.path / "tests").exists()
        else:
            assert found["is_written"]
            assert (tiny.path / found["file"]).is_file()
    assert tiny.nomock("overlay", "--json", "--output", "-").ret == 1
    assert tiny.nomock("coverage-live", "--json", "--watch").ret == 1


def test_parity_and_images_should_be_of_their_schemas_when_asked_as_json(tiny: Tiny) -> None:
    for name, outcome in (("one", "passed"), ("other", "failed")):
        record = Record(name, "pytest", {"test_a.py::test_a": Result(outcome)}, None)
        tiny.write(f"{name}.json", record.text())
    done = tiny.nomock("parity", "one.json", "other.json", "--json")
    assert (done.ret, checked("parity", done.stdout.str())["unexplained"]) == (1, 1)

    here = {"variable": "WEB_IMAGE", "upstream": IMAGE, "stand_in": IMAGE, "builder": "web.sh"}
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in here.items())
    tiny.write("images/images.toml", f"[[image]]\n{lines}\n")
    [image] = checked("images", tiny.nomock("images", "--json").stdout.str())
    assert (image["variable"], image["image"]) == ("WEB_IMAGE", IMAGE)

    # It takes a cluster to promote; what is printed is this object.
    schema = json.loads((FOLDER / "promote.json").read_text(encoding="utf-8"))
    assert [field.name for field in fields(Promoted)] == schema["required"]


def test_each_schema_should_stand_in_the_docs_when_the_command_lists_it(tiny: Tiny) -> None:
    listed = tiny.nomock("schema").outlines[1:]
    page = (ROOT / "docs/programs.md").read_text(encoding="utf-8")
    for name in (line.split()[0] for line in listed):
        told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        assert f"`{told['title']}`" in page
    assert len(listed) == len([*FOLDER.iterdir()])
    one = json.loads(tiny.nomock("schema", "status").stdout.str())
    assert one["title"] == "nomock status --json"
    assert "there is no schema 'x'" in tiny.nomock("schema", "x").stderr.str()
