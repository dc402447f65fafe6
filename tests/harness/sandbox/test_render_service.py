"""What a service becomes: its Deployment or Job, and all that goes for its pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rendering import NAMESPACE, rendered, web

from nomock.sandbox.render import Image

LABELS = {
    "app.kubernetes.io/managed-by": "nomock",
    "app.kubernetes.io/name": "web",
    "nomock/sandbox": "t1",
    "nomock/service": "web",
}
WAVE_1 = {"argocd.argoproj.io/sync-wave": "1", "nomock/wave": "1"}


def test_a_service_should_be_this_deployment_when_it_says_nothing(tmp_path: Path) -> None:
    found = web(tmp_path, networks={"default": None})
    assert found["Deployment web"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": NAMESPACE,
            "labels": LABELS,
            "annotations": WAVE_1,
        },
        "spec": {
            "progressDeadlineSeconds": 120,
            "replicas": 1,
            "minReadySeconds": 2,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": {"nomock/service": "web"}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": {**LABELS, "network.nomock/default": "in"}},
                "spec": {
                    "automountServiceAccountToken": False,
                    "containers": [{"name": "web", "image": "shop:1"}],
                    "enableServiceLinks": False,
                    "restartPolicy": "Always",
                    "securityContext": {
                        "seccompProfile": {"type": "RuntimeDefault"},
                        "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
                    },
                    "terminationGracePeriodSeconds": 10,
                },
            },
        },
    }
    assert found.lost == []


def test_readiness_and_startup_but_not_liveness_should_be_probed_when_there_is_a_healthcheck(
    tmp_path: Path,
) -> None:
    found = web(
        tmp_path,
        healthcheck={
            "test": ["CMD", "curl", "-f", "http://127.0.0.1/$(X)"],
            "interval": "30s",
            "timeout": "1.5s",
            "retries": 4,
            "start_period": "1m0s",
            "start_interval": "500ms",
        },
    )
    probed = {"exec": {"command": ["curl", "-f", "http://127.0.0.1/$(X)"]}, "timeoutSeconds": 2}
    container = found.container()
    assert container["readinessProbe"] == {**probed, "periodSeconds": 30, "failureThreshold": 4}
    # A minute, and then four failures half a minute apart: asked each second, for Kubernetes has
    # no shorter time.
    assert container["startupProbe"] == {**probed, "periodSeconds": 1, "failureThreshold": 180}
    assert "livenessProbe" not in container
    assert found["Deployment web"]["spec"]["progressDeadlineSeconds"] == 210
    assert found.lost == []


@pytest.mark.parametrize(
    ("check", "command"),
    [
        ({"test": ["CMD-SHELL", "exit 0 || echo $X"]}, ["/bin/sh", "-c", "exit 0 || echo $X"]),
        ({"test": ["NONE"]}, None),
        ({"disable": True}, None),
        ({"test": ["CMD", "true"], "disable": True}, None),
        ({"interval": "5s"}, ["image", "asks"]),
    ],
)
def test_a_healthcheck_should_be_what_compose_runs_when_its_form_is_another(
    tmp_path: Path, check: dict[str, Any], command: list[str] | None
) -> None:
    image = Image("r/shop@sha256:1", healthcheck={"test": ["CMD", "image", "asks"]})
    found = rendered(tmp_path, {"web": {"healthcheck": check}}, image_of=lambda name: image)
    probe = found.container().get("readinessProbe")
    assert (probe and probe["exec"]["command"]) == command
    assert ("startupProbe" in found.container()) == (command is not None)


def test_commands_should_reach_the_container_as_they_are_when_kubernetes_would_expand_them(
    tmp_path: Path,
) -> None:
    found = web(
        tmp_path,
        entrypoint=["/bin/sh", "-c"],
        command=["echo $(date) $HOME $$ 5$"],
        environment={"PRICE": "$(NAME)", "UNSET": None, "EMPTY": ""},
        working_dir="/srv",
    ).container()
    assert found["command"] == ["/bin/sh", "-c"]
    assert found["args"] == ["echo $$(date) $HOME $$$ 5$"]
    assert found["env"] == [
        {"name": "EMPTY", "value": ""},
        {"name": "PRICE", "value": "$$(NAME)"},
    ]
    assert found["workingDir"] == "/srv"


@pytest.mark.parametrize(
    ("said", "words", "lost"),
    [
        ({"entrypoint": None, "command": None}, {}, []),
        ({"command": ["a"]}, {"args": ["a"]}, []),
        ({"entrypoint": ["e"], "command": []}, {"command": ["e"]}, []),
        ({"entrypoint": [], "command": ["a", "b"]}, {"command": ["a", "b"]}, []),
        ({"entrypoint": []}, {}, [("web", "entrypoint")]),
        ({"command": []}, {}, [("web", "command")]),
    ],
)
def test_the_images_command_should_be_taken_away_or_reported_when_the_files_is_empty(
    tmp_path: Path, said: dict[str, Any], words: dict[str, Any], lost: list[tuple[str, str]]
) -> None:
    found = web(tmp_path, **said)
    container = found.container()
    assert {key: container[key] for key in ("command", "args") if key in container} == words
    assert found.lost == lost


def test_a_pod_should_have_names_labels_and_platform_when_its_service_says_them(
    tmp_path: Path,
) -> None:
    found = web(
        tmp_path,
        stop_grace_period="1m30.5s",
        init=True,
        hostname="shop-1",
        extra_hosts=[
            "a.example=10.0.0.1",
            "b.example=10.0.0.1",
            "host.docker.internal=host-gateway",
        ],
        labels={"traefik.rule": "Host(`a`)", "my label": "x"},
        annotations={"team/owner": "shop"},
        deploy={"replicas": 3, "labels": {"tier": "front"}},
        platform="linux/arm64/v8",
        stdin_open=True,
        tty=True,
    )
    pod = found.pod()
    assert pod["terminationGracePeriodSeconds"] == 91
    assert pod["shareProcessNamespace"] is True
    assert pod["hostname"] == "shop-1"
    assert pod["hostAliases"] == [{"ip": "10.0.0.1", "hostnames": ["a.example", "b.example"]}]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
    assert (found.container()["stdin"], found.container()["tty"]) == (True, True)
    deployment = found["Deployment web"]
    assert deployment["spec"]["replicas"] == 3
    assert deployment["metadata"]["annotations"] == {**WAVE_1, "tier": "front"}
    assert deployment["spec"]["template"]["metadata"]["annotations"] == {
        "traefik.rule": "Host(`a`)",
        "team/owner": "shop",
    }
    assert found.lost == [("web", "extra_hosts"), ("web", "labels.my label")]


@pytest.mark.parametrize(
    ("said", "own", "is_lost"),
    [
        ("SIGINT", None, True),
        ("SIGINT", "SIGINT", False),
        ("INT", "SIGINT", False),
        ("2", "SIGINT", False),
        ("SIGTERM", "", False),
        ("SIGINT", "", True),
        ("SIGRTMIN+3", "SIGRTMIN+3", False),
        ("999", "SIGINT", True),
    ],
)
def test_a_stop_signal_should_be_kept_only_when_it_is_the_images(
    tmp_path: Path, said: str, own: str | None, is_lost: bool
) -> None:
    image = Image("shop", stop_signal=own)
    found = rendered(tmp_path, {"web": {"stop_signal": said}}, image_of=lambda name: image)
    assert found.lost == ([("web", "stop_signal")] if is_lost else [])


def test_a_deployment_should_be_in_the_report_when_it_was_to_end(tmp_path: Path) -> None:
    found = web(tmp_path, restart="no")
    assert found.meaning("restart") == (
        "a Deployment is started again after any end: it starts again when it has ended"
    )
    assert web(tmp_path, restart="unless-stopped").lost == []


def test_a_pod_should_serve_on_for_a_moment_when_another_one_took_its_place(
    tmp_path: Path,
) -> None:
    found = web(tmp_path, expose=["80"], stop_grace_period="4s")
    assert found.container()["lifecycle"] == {"preStop": {"sleep": {"seconds": 3}}}
    assert found.pod()["terminationGracePeriodSeconds"] == 7
    # Nobody comes to one without a port, and of one with data there are never two.
    kept = [{"type": "volume", "source": "data", "target": "/data"}]
    for said in ({}, {"expose": ["80"], "volumes": kept}):
        other = web(tmp_path, stop_grace_period="4s", **said)
        assert "lifecycle" not in other.container()
        assert other.pod()["terminationGracePeriodSeconds"] == 4
