"""Faults in other people's projects: no Toxiproxy, no tools image, networks that are shared."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from foreign import Foreign
from tiny import IMAGE, ROOT, settled_image


@pytest.mark.slow
def test_a_project_should_stay_whole_when_a_fault_cannot_begin_and_a_shared_network_is_broken(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("network-of-another")
    project.environ["NOMOCK_TOOLS_IMAGE"] = "nomock-t/no-such-image:1"
    first = project.pytest("-q")
    assert (first.code, "1 failed, 2 passed" in first) == (1, True), first.text
    assert "its image nomock-t/no-such-image:1 is not here" in first
    assert list((project.path / ".nomock/faults").rglob("*.ndjson")) == []
    second = project.pytest("-q", "-k", "not packets")
    assert (second.code, "not healed" in second) == (0, False), second.text
    healed = project.nomock("heal")
    assert (healed.code, healed.text) == (0, "healed 0 faults\n")

    # A journal of an earlier version, which had written it before it knew of the image.
    (folder,) = (project.path / ".nomock/faults").iterdir()
    (folder / "1.ndjson").write_text(
        '{"on": 1, "kind": "packet_block", "name": "packet_block vpn:9", "test": "test_f.py",'
        ' "arguments": {"service": "vpn", "port": 9}, "state": {"name": "nomock_packet_block_1"}}\n'
    )
    third = project.pytest("-q", "-k", "without")
    assert (third.code, "1 passed" in third) == (0, True), third.text
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_the_snippet_of_the_docs_should_make_an_edge_when_a_project_has_no_toxiproxy(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("two-services")
    page = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    snippet = page[page.index("### In a project that has no Toxiproxy") :]
    yaml, edges = re.findall(r"```(?:yaml|json)\n(.*?)```", snippet, re.S)[:2]
    before = project.pytest("-q")
    assert before.code == 1, before.text
    assert "no service of this stack is Toxiproxy" in before
    assert "nomock docs faults shows how" in before

    project.write("docker-compose.override.yml", yaml)
    project.write("edges.json", edges)
    project.environ["TOXIPROXY_IMAGE"] = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")
    done = project.pytest("-q")
    assert (done.code, "1 passed" in done) == (0, True), done.text

    # The same for faults on single HTTP requests.
    test = (project.path / "test_web.py").read_text()
    test = test.replace(
        'faults.latency("web->api", latency_ms=800)',
        'faults.http_delay("web->api", delay_ms=800, everyone=True)',
    )
    project.write("test_web.py", test)
    before = project.pytest("-q")
    assert (before.code, "nomock docs faults-http shows how" in before) == (1, True), before.text
    assert project.run("mkdir", "httpfaults").code == 0
    refused = project.nomock("httpfaults")
    assert "httpfaults: this is not nomock's, and stays as it is" in refused
    assert project.run("rmdir", "httpfaults").code == 0
    page = (ROOT / "docs/faults-http.md").read_text(encoding="utf-8")
    snippet = page[page.index("## In a project of your own") :]
    assert "\n    nomock httpfaults\n" in snippet
    for verb in ("wrote", "replaced"):
        assert f"{verb} httpfaults/" in project.nomock("httpfaults")
    service, edges, http_edges = re.findall(r"```(?:yaml|json)\n(.*?)```", snippet, re.S)[:3]
    project.write("docker-compose.override.yml", yaml + service)
    project.write("edges.json", edges)
    project.write("httpfaults.json", http_edges)
    project.environ["PYTHON_IMAGE"] = IMAGE
    done = project.pytest("-q")
    assert (done.code, "1 passed" in done) == (0, True), done.text


@pytest.mark.slow
def test_an_edge_should_be_broken_by_one_command_and_one_line_when_there_is_no_toxiproxy(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("two-services")
    before = {path.name: path.read_bytes() for path in project.path.iterdir() if path.is_file()}
    project.environ["TOXIPROXY_IMAGE"] = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")
    project.environ["PYTHON_IMAGE"] = IMAGE
    done = project.nomock("edges", "--init")
    assert done.code == 0, done.text
    assert "wrote docker-compose.edges.yml" in done
    assert {name: (project.path / name).read_bytes() for name in before} == before
    ended = project.pytest("-q")
    assert (ended.code, "1 passed" in ended) == (0, True), ended.text

    again = project.nomock("edges", "--init")
    assert "docker-compose.edges.yml is as it should be" in again
    overlay = project.path / "docker-compose.edges.yml"
    overlay.write_text(overlay.read_text().replace("30s", "40s"))
    refused = project.nomock("edges", "--init")
    assert (refused.code, "--force" in refused) == (1, True), refused.text
