"""What becomes of volumes, memory, configs and secrets, and what x-nomock says of them."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from rendering import rendered, volume_at, web

from nomock.errors import NotPromotableError
from nomock.sandbox.render import Image


def test_a_volume_should_be_the_pods_own_or_a_claim_when_the_file_says_so(tmp_path: Path) -> None:
    services = {
        "db": {
            "user": "999",
            "volumes": [{"type": "volume", "source": "db_data", "target": "/var/lib/db"}],
        }
    }
    volumes = {"db_data": {"name": "shop_db_data"}}
    found = rendered(tmp_path, services, volumes=volumes)
    assert volume_at(found, "/var/lib/db", "db") == ({"emptyDir": {}}, {})
    assert found["Deployment db"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found.of_kind("PersistentVolumeClaim") == []

    asked = {"x-nomock": {"claims": {"db_data": "2Gi"}}}
    found = rendered(tmp_path, services, volumes=volumes, **asked)
    assert volume_at(found, "/var/lib/db", "db") == (
        {"persistentVolumeClaim": {"claimName": "db-data"}},
        {},
    )
    assert found["PersistentVolumeClaim db-data"]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}},
    }
    assert found.lost == []


@pytest.mark.parametrize(
    ("said", "own", "owner"),
    [
        ("postgres", "", "999:998"),
        ("1000", "postgres", "1000:1000"),
        ("1000:7", "", "1000:7"),
        ("", "postgres", "999:998"),
        ("", "", None),
        ("0", "postgres", None),
        ("nobody", "", None),  # whose number is not known
    ],
)
@pytest.mark.parametrize("claims", [{}, {"data": "1Gi"}])
def test_a_volume_should_be_given_to_the_user_when_its_service_has_one_that_is_not_root(
    tmp_path: Path, claims: dict[str, str], said: str, own: str, owner: str | None
) -> None:
    volumes = [
        {"type": "volume", "source": "data", "target": "/data"},
        {"type": "volume", "target": "/anonymous"},
        {"type": "volume", "source": "given", "target": "/given", "read_only": True},
        {"type": "tmpfs", "target": "/tmp"},
    ]
    image = Image("r/db@sha256:1", user=own, users={"postgres": "999:998"})
    found = rendered(
        tmp_path,
        {"db": {"user": said, "read_only": True, "volumes": volumes}},
        image_of={"db": image}.__getitem__,
        volumes={"data": {}, "given": {}},
        **{"x-nomock": {"claims": claims}},
    )
    places = ["/nomock-volumes/volume-data", "/nomock-volumes/mount-1"]
    expected = {
        "name": "volume-owner",
        "image": "r/db@sha256:1",
        "command": ["chown", owner, *places],
        "volumeMounts": [
            {"name": "volume-data", "mountPath": places[0]},
            {"name": "mount-1", "mountPath": places[1]},
        ],
        "securityContext": {
            "runAsUser": 0,
            "runAsGroup": 0,
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["CHOWN"], "drop": ["ALL"]},
        },
    }
    assert found.pod("db").get("initContainers") == ([expected] if owner else None)
    assert "fsGroup" not in found.pod("db")["securityContext"]


def test_a_volume_should_let_in_a_group_when_the_image_cannot_give_it_away(tmp_path: Path) -> None:
    volumes = [{"type": "volume", "source": "data", "target": "/data"}]
    image = Image("db", user="65534:65533", has_chown=False)
    services = {"db": {"volumes": volumes}}
    found = rendered(tmp_path, services, image_of=lambda name: image, volumes={"data": {}})
    assert "initContainers" not in found.pod("db")
    assert found.pod("db")["securityContext"]["fsGroup"] == 65533


def test_a_volume_should_be_told_when_services_share_it_and_pods_do_not(tmp_path: Path) -> None:
    shared = {"volumes": [{"type": "volume", "source": "files", "target": "/files"}]}
    services = {"web": shared, "worker": shared}
    found = rendered(tmp_path, services, volumes={"files": {}})
    assert found.lost == [("web", "volumes"), ("worker", "volumes")]
    assert found.rendered.report.lines[0].why == (
        "web and worker share it, and each pod has a volume of its own"
    )
    asked = {"x-nomock": {"claims": {"files": "1Gi"}}}
    assert rendered(tmp_path, services, volumes={"files": {}}, **asked).lost == []


def test_memory_should_be_mounted_when_tmpfs_or_shm_size_says_so(tmp_path: Path) -> None:
    found = web(
        tmp_path,
        tmpfs=["/tmp", "/run:size=64m,mode=1777", "/x:uid=1000"],
        shm_size="67108864",
        volumes=[
            {"type": "tmpfs", "target": "/cache", "tmpfs": {"size": "1048576"}},
            {"type": "volume", "target": "/anonymous", "volume": {}},
        ],
    )
    memory = {"medium": "Memory"}
    assert {
        target: volume_at(found, target)[0]["emptyDir"]
        for target in ("/tmp", "/run", "/x", "/dev/shm", "/cache", "/anonymous")
    } == {
        "/tmp": memory,
        "/run": {**memory, "sizeLimit": "64Mi"},
        "/x": memory,
        "/dev/shm": {**memory, "sizeLimit": "64Mi"},
        "/cache": {**memory, "sizeLimit": "1Mi"},
        "/anonymous": {},
    }
    assert found.lost == [("web", "tmpfs")]


def test_configs_and_secrets_should_be_files_when_a_service_has_targets_for_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "key.pem").write_bytes(b"\xffkey")
    found = rendered(
        tmp_path,
        {
            "web": {
                "user": "1000:1000",
                "configs": [{"source": "limits"}, {"source": "gone", "target": "/gone"}],
                "secrets": [
                    {"source": "key", "target": "/run/secrets/key", "mode": 0o400},
                    {"source": "token", "target": "token", "uid": "7"},
                ],
            }
        },
        variables={"TOKEN": "the token"},
        configs={"limits": {"content": "most = 5"}, "gone": {"external": True}},
        secrets={"key": {"file": str(tmp_path / "key.pem")}, "token": {"environment": "TOKEN"}},
    )
    (config,) = found.of_kind("ConfigMap")
    assert config["data"] == {"limits": "most = 5"}
    assert volume_at(found, "/limits")[1] == {"readOnly": True, "subPath": "limits"}
    secrets = {
        s["metadata"]["name"]: b64decode(s["data"]["content"]) for s in found.of_kind("Secret")
    }
    assert sorted(secrets.values()) == [b"the token", b"\xffkey"]
    volume, mount = volume_at(found, "/run/secrets/key")
    assert secrets[volume["secret"]["secretName"]] == b"\xffkey"
    assert volume["secret"]["items"] == [{"key": "content", "path": "content", "mode": 0o400}]
    assert mount == {"readOnly": True, "subPath": "content"}
    # Its owner is root: the user reads it by its group.
    assert found.pod()["securityContext"]["fsGroup"] == 1000
    volume, _ = volume_at(found, "/run/secrets/token")
    assert secrets[volume["secret"]["secretName"]] == b"the token"
    assert found.lost == [
        ("web", "configs.source"),
        ("web", "secrets.uid"),
        ("-", "configs.gone.external"),
    ]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (
            {"claim": {}},
            "x-nomock: there is no 'claim' here\n  there are: claims, mounts, roles, "
            "namespaces, environment, hosts, gateway\n"
            "-> did you mean 'claims'?",
        ),
        (
            {"claims": {"datas": "1Gi"}},
            "x-nomock.claims: there is no 'datas' here\n  there are: data\n-> did you mean 'data'?",
        ),
        (
            {"mounts": {"web": {"/app": "nothing"}}},
            "x-nomock.mounts.web./app: there is no 'nothing' here\n"
            "  there are: files, empty, none\n-> name one of them",
        ),
        (
            {"roles": {"wep": []}},
            "x-nomock.roles: there is no 'wep' here\n  there are: web\n-> did you mean 'web'?",
        ),
    ],
)
def test_a_word_in_x_nomock_should_be_refused_when_there_is_none_such(
    tmp_path: Path, said: dict[str, Any], error: str
) -> None:
    with pytest.raises(NotPromotableError) as caught:
        rendered(tmp_path, {"web": {}}, volumes={"data": {}}, **{"x-nomock": said})
    assert str(caught.value) == error
