"""Rendered manifests as files, folders and standard input, and what are none."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from places import ROOT
from schemas import checked
from test_manifests import OBJECTS, found
from tiny import NOMOCK, Tiny

from nomock.contracts.manifests import documents_in, manifest_findings
from nomock.errors import UnreadableManifestError
from nomock.loading import load
from nomock.project import resolve
from nomock.sandbox.render import place_of, render, write

BAD = {
    "no YAML": ("kind: Pod\nmetadata: {name: x\n", "bad.yaml:3", "',' or '}'"),
    "a tab": ("kind: Pod\n\tmetadata: x", "bad.yaml:2", "found"),
    "a text": ("hello", "bad.yaml:1", "it is no object of Kubernetes: it has no kind"),
    "values of a chart": ("a: 1\n---\nb: 2", "bad.yaml:1", "it has no kind"),
    "a Kustomization": ("kind: Kustomization", "bad.yaml:1", "not rendered yet"),
    "an unknown tag": ("kind: !Ref x", "bad.yaml:1", "could not determine a constructor"),
    "nothing": ("# all of it is commented out\n---\n", "bad.yaml", "there is no object in it"),
}


@pytest.mark.parametrize(("text", "where", "seen"), BAD.values(), ids=BAD)
def test_one_message_should_say_so_when_a_file_holds_no_objects(
    tiny: Tiny, text: str, where: str, seen: str
) -> None:
    tiny.write("bad.yaml", text)
    with pytest.raises(UnreadableManifestError) as caught:
        documents_in(["bad.yaml"])
    assert caught.value.where == where
    assert seen in caught.value.seen
    assert caught.value.todo.startswith("give what `kubectl kustomize`")


def test_the_message_should_say_to_render_it_when_a_file_is_a_template(tiny: Tiny) -> None:
    tiny.write("bad.yaml", "kind: Pod\nspec:\n  {{- if .Values.x }}\n  a: 1\n  {{- end }}\n")
    with pytest.raises(UnreadableManifestError) as caught:
        documents_in(["bad.yaml"])
    assert caught.value.todo.startswith("render the template first")


def test_one_message_should_say_so_when_there_is_no_file(tiny: Tiny) -> None:
    with pytest.raises(UnreadableManifestError) as caught:
        documents_in(["nowhere"])
    assert str(caught.value).startswith("nowhere: no rendered manifests can be read\n  [Errno 2]")
    tiny.path.joinpath("binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableManifestError):
        documents_in(["binary.yaml"])


def test_parts_of_another_shape_should_count_as_nothing_when_objects_are_odd(tiny: Tiny) -> None:
    odd = [
        {"kind": "Deployment", "spec": None},
        {"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": "none"}},
        {"kind": "Pod", "spec": {"containers": [{"env": {"A": "1"}, "command": "x"}, 7]}},
        {"kind": "Pod", "spec": {"containers": [{"env": [{"name": "A"}, {"value": 1}, "x"]}]}},
        {"kind": "Service", "apiVersion": "v1", "spec": {"ports": [{"port": "80"}]}},
        {"kind": "Service", "apiVersion": "v1", "spec": {"selector": {"a": {}}, "ports": [{}]}},
        {"kind": "Service", "apiVersion": "v1", "spec": {"ports": [{"targetPort": {}}]}},
        {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        },
        {
            "kind": "Pod",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {
                        "ports": [{"containerPort": []}, {"name": {}}],
                        "env": [{"name": "OWN_URL", "value": "http://web:81"}],
                    }
                ]
            },
        },
        {"kind": "Secret", "data": ["x"]},
        {"kind": "ConfigMap", "metadata": [], "data": None},
        {"kind": "List", "items": []},
    ]
    tiny.compose(web={"image": "x"})
    tiny.write("odd.json", "\n---\n".join(map(json.dumps, odd)))
    project = resolve(load(tiny.path, {}))
    findings, looked_at = manifest_findings(project, documents_in(["odd.json"]))
    assert looked_at == 2
    assert ["names port 81 of web" in finding.what for finding in findings] == [True]


def test_a_value_should_be_the_text_that_kubernetes_reads_when_it_looks_like_a_date(
    tiny: Tiny,
) -> None:
    tiny.write("k8s.yml", "kind: ConfigMap\ndata: {A: 2024-01-31, B: =}\n")
    (document,) = documents_in(["k8s.yml"])
    assert document.content["data"] == {"A": "2024-01-31", "B": "="}


def test_all_files_should_count_as_one_when_a_folder_has_them_apart(tiny: Tiny) -> None:
    assert found(tiny) == []
    for number, text in enumerate(OBJECTS.split("---\n")):
        tiny.write(f"out/{number}/object.yaml", text)
    tiny.write("out/notes.txt", "no manifest")
    tiny.write("out/.git/x.yaml", "no manifest")
    project = resolve(load(tiny.path, {}))
    whole = manifest_findings(project, documents_in(["k8s.yaml"]))
    assert manifest_findings(project, documents_in(["out"])) == whole


def test_the_command_should_name_each_finding_when_manifests_come_by_standard_input(
    tiny: Tiny,
) -> None:
    found(tiny, {'POOL_SIZE: "5"': 'POOL_SIZES: "5"'})
    text = tiny.path.joinpath("k8s.yaml").read_text(encoding="utf-8")
    command = [NOMOCK, "contracts", "--manifests", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "environment variables of manifests: 10 read or set, 1 wrong, 0 perhaps",
        "  ! Deployment/shop-api: POOL_SIZES is set, and nothing reads it (set at stdin:5, read at",
        "    api/app/main.py:6)",
        "    -> POOL_SIZE?",
    ]
    told = checked(
        "contracts", tiny.nomock("contracts", "--json", "--manifests", "k8s.yaml").stdout.str()
    )
    assert [one["service"] for one in told["findings"]] == ["Deployment/shop-api"]


def test_the_command_should_say_what_it_wants_when_it_is_given_nothing_of_kubernetes(
    tiny: Tiny,
) -> None:
    found(tiny)
    done = tiny.nomock("contracts", "--manifests", "docker-compose.yml")
    assert done.ret == 1
    assert done.stderr.str().splitlines() == [
        "docker-compose.yml:1: no rendered manifests can be read",
        "  it is no object of Kubernetes: it has no kind",
        "-> give what `kubectl kustomize`, `helm template` or `nomock promote --render` writes",
    ]


def test_the_reference_stack_should_fit_when_it_is_rendered_as_a_sandbox(tiny: Tiny) -> None:
    settings = load(ROOT)
    project = resolve(settings)
    folder = tiny.path / "rendered"
    write(render(project, place_of("t1"), state_dir=settings.state_dir), folder)
    findings, looked_at = manifest_findings(project, documents_in([os.fspath(folder)]))
    assert findings == []
    # As many as of the compose file: each container was taken for its service.
    assert looked_at > 100
