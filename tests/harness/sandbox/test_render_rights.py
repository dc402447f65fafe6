"""What a service may do and take, and what it is told: rights, limits, secrets, roles."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from rendering import NAMESPACE, rendered, web

from nomock.sandbox.render import Image


def test_a_variable_should_come_from_a_secret_when_it_holds_one(tmp_path: Path) -> None:
    url = "postgresql://me:s3cret-value@db/app"
    found = web(tmp_path, environment={"DATABASE_URL": url, "API_KEY": "k", "LEVEL": "info"})
    (secret,) = found.of_kind("Secret")
    assert {name: b64decode(value).decode() for name, value in secret["data"].items()} == {
        "API_KEY": "k",
        "DATABASE_URL": url,
    }
    name = secret["metadata"]["name"]
    assert found.container()["env"] == [
        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"key": "API_KEY", "name": name}}},
        {
            "name": "DATABASE_URL",
            "valueFrom": {"secretKeyRef": {"key": "DATABASE_URL", "name": name}},
        },
        {"name": "LEVEL", "value": "info"},
    ]
    # So pods are replaced when a secret is another one, and only then.
    (other,) = web(tmp_path, environment={"API_KEY": "another"}).of_kind("Secret")
    assert other["metadata"]["name"] != name
    assert other["immutable"] is True


def test_rights_should_be_those_of_the_compose_file_when_it_says_them(tmp_path: Path) -> None:
    found = web(
        tmp_path,
        user="1000:1001",
        group_add=["44", "audio"],
        read_only=True,
        cap_add=["CAP_NET_ADMIN"],
        cap_drop=["all"],
        security_opt=["no-new-privileges:true", "seccomp:unconfined", "label:disable"],
        sysctls={"net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 1024},
    )
    assert found.pod()["securityContext"] == {
        "runAsUser": 1000,
        "runAsGroup": 1001,
        "supplementalGroups": [44],
        "seccompProfile": {"type": "Unconfined"},
        "sysctls": [
            {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"},
            {"name": "net.ipv4.tcp_syncookies", "value": "0"},
        ],
    }
    assert found.container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert found.lost == [
        ("web", "group_add"),
        ("web", "security_opt"),
        ("web", "sysctls.net.core.somaxconn"),
    ]


@pytest.mark.parametrize(
    ("user", "uid", "gid"),
    [
        ("1000", 1000, None),
        ("0:0", 0, 0),
        ("postgres", 999, 998),
        ("postgres:7", 999, 7),
        ("postgres:staff", 999, 50),
        ("1000:staff", 1000, 50),
        ("postgres:nobodys", None, None),
        ("nobody", None, None),
        ("1000:nobodys", None, None),
    ],
)
def test_a_user_should_be_numbers_when_it_is_one_or_the_image_tells(
    tmp_path: Path, user: str, uid: int | None, gid: int | None
) -> None:
    image = Image("shop", users={"postgres": "999:998"}, groups={"staff": "50"})
    found = rendered(
        tmp_path, {"web": {"user": user, "group_add": ["staff"]}}, image_of=lambda name: image
    )
    context = found.pod()["securityContext"]
    assert (context.get("runAsUser"), context.get("runAsGroup")) == (uid, gid)
    assert context["supplementalGroups"] == [50]
    assert found.lost == ([("web", "user")] if uid is None else [])


@pytest.mark.parametrize(
    ("said", "resources"),
    [
        ({}, None),
        ({"mem_limit": "0"}, None),
        # A limit keeps nothing for the container: it comes with the request that all get.
        (
            {"mem_limit": "536870912", "cpus": 0.5},
            {
                "limits": {"cpu": "500m", "memory": "512Mi"},
                "requests": {"cpu": "10m", "memory": "32Mi"},
            },
        ),
        # Unless it is less than that.
        (
            {"deploy": {"resources": {"limits": {"memory": "16777216"}}}},
            {"limits": {"memory": "16Mi"}},
        ),
        (
            {
                "deploy": {
                    "resources": {
                        "limits": {"cpus": "2", "memory": "1073741824"},
                        "reservations": {"cpus": "0.25", "memory": "100000000"},
                    }
                }
            },
            {
                "limits": {"cpu": "2", "memory": "1Gi"},
                "requests": {"cpu": "250m", "memory": "100000000"},
            },
        ),
        ({"mem_reservation": "20971520"}, {"requests": {"memory": "20Mi"}}),
    ],
)
def test_limits_and_requests_should_be_what_compose_means_when_it_says_them(
    tmp_path: Path, said: dict[str, Any], resources: dict[str, Any] | None
) -> None:
    found = web(tmp_path, **said)
    assert found.container().get("resources") == resources
    assert found.lost == []


def test_a_service_should_speak_to_kubernetes_only_when_it_has_a_role(tmp_path: Path) -> None:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    roles = {"x-nomock": {"roles": {"worker": [rule]}}}
    found = rendered(tmp_path, {"web": {}, "worker": {}}, **roles)
    assert found["Role worker"]["rules"] == [rule]
    assert found["RoleBinding worker"]["roleRef"]["name"] == "worker"
    assert found["RoleBinding worker"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "worker", "namespace": NAMESPACE}
    ]
    assert found.pod("worker")["automountServiceAccountToken"] is True
    assert found.pod("worker")["serviceAccountName"] == "worker"
    assert found.pod("web")["automountServiceAccountToken"] is False
    assert len(found.of_kind("ServiceAccount")) == 1


def test_a_service_should_make_namespaces_and_have_rights_in_those_alone_when_it_may(
    tmp_path: Path,
) -> None:
    rule = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]}
    asked = {"x-nomock": {"namespaces": {"worker": [rule]}}}
    found = rendered(tmp_path, {"web": {}, "worker": {}}, **asked)
    assert found.of_kind("Role") == []
    name, inside = f"{NAMESPACE}.worker", f"{NAMESPACE}.worker.made"
    assert found[f"ClusterRole {inside}"]["rules"] == [rule]
    group = "rbac.authorization.k8s.io"
    assert found[f"ClusterRole {name}"]["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]},
        {"apiGroups": [group], "resources": ["rolebindings"], "verbs": ["create"]},
        {
            "apiGroups": [group],
            "resources": ["clusterroles"],
            "resourceNames": [inside],
            "verbs": ["bind"],
        },
    ]
    account = {"kind": "ServiceAccount", "name": "worker", "namespace": NAMESPACE}
    binding = found[f"ClusterRoleBinding {name}"]
    assert (binding["roleRef"]["name"], binding["subjects"]) == (name, [account])
    policy = found[f"ValidatingAdmissionPolicy {name}"]["spec"]
    (condition,) = policy["matchConditions"]
    assert condition["expression"] == (
        f"request.userInfo.username == 'system:serviceaccount:{NAMESPACE}:worker'"
    )
    assert found[f"ValidatingAdmissionPolicyBinding {name}"]["spec"] == {
        "policyName": name,
        "validationActions": ["Deny"],
    }
    # By this label they go with the sandbox.
    for kind in ("ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy"):
        assert {o["metadata"]["labels"]["nomock/sandbox"] for o in found.of_kind(kind)} == {"t1"}
    assert found.pod("worker")["serviceAccountName"] == "worker"


def test_a_variable_should_be_added_or_changed_when_x_nomock_has_it_for_sandboxes(
    tmp_path: Path,
) -> None:
    own = {"MODE": "sandbox", "PORT": 80, "API_KEY": "k"}
    found = rendered(
        tmp_path,
        {"web": {"environment": {"MODE": "compose", "LEVEL": "info"}}},
        **{"x-nomock": {"environment": {"web": own}}},
    )
    values = {one["name"]: one.get("value") for one in found.container()["env"]}
    assert values == {"API_KEY": None, "LEVEL": "info", "MODE": "sandbox", "PORT": "80"}
    assert found.lost == []
