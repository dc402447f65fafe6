"""Variables of containers in rendered manifests that do not fit, found before they are applied."""

from __future__ import annotations

import pytest
from tiny import Tiny

from nomock.contracts.manifests import documents_in, manifest_findings
from nomock.loading import load
from nomock.project import resolve

COMPOSE = """\
services:
  api:
    build: ./api
  web:
    build: ./web
  db:
    image: postgres:17
"""
SOURCE = """\
import os

URL = os.environ["DATABASE_URL"]
CACHE = os.environ.get("CACHE_HOST", "cache")
PORT = int(os.environ.get("CACHE_PORT", 6379))
POOL = int(os.environ.get("POOL_SIZE", 5))
"""
OBJECTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: api-config}
data:
  POOL_SIZE: "5"
---
apiVersion: v1
kind: Secret
metadata: {name: api-secret}
data:
  password: aHVudGVyMg==
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      enableServiceLinks: false
      initContainers:
      - name: wait
        image: busybox
        args: ["nc", "-z", "db", "5432"]
      containers:
      - name: main
        image: registry.example/shop/api:1.2
        envFrom:
        - configMapRef: {name: api-config}
        env:
        - name: DB_PASSWORD
          valueFrom: {secretKeyRef: {name: api-secret, key: password}}
        - name: DATABASE_URL
          value: postgresql://shop:$(DB_PASSWORD)@db:5432/shop
        - name: CACHE_HOST
          value: cache
        ports: [{containerPort: 8000}]
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports: [{port: 80, targetPort: 8000}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - name: postgres
        image: postgres:17
        env:
        - {name: POSTGRES_USER, value: shop}
        - {name: POSTGRES_DB, value: shop}
        - name: POSTGRES_PASSWORD
          valueFrom: {secretKeyRef: {name: api-secret, key: password}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  selector: {app: db}
  ports: [{port: 5432}]
---
apiVersion: v1
kind: Service
metadata: {name: cache}
spec:
  ports: [{port: 6379}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: web
            image: shop-web
            env:
            - {name: API_URL, value: "http://api/"}
"""


def found(tiny: Tiny, changes: dict[str, str] | None = None, source: str = SOURCE) -> list[str]:
    """Return the findings as text: each with its mark, and its cure."""
    objects = OBJECTS
    for old, new in (changes or {}).items():
        assert old in objects
        objects = objects.replace(old, new)
    tiny.compose_text(COMPOSE)
    tiny.write(
        "api/Dockerfile", 'FROM python:3.13\nCOPY app /app\nCMD ["uvicorn", "app.main:app"]\n'
    )
    tiny.write("api/app/main.py", source)
    tiny.write("web/Dockerfile", "FROM node:24\nCOPY . .\n")
    tiny.write("web/index.js", "fetch(process.env.API_URL)\n")
    tiny.write("k8s.yaml", objects)
    findings, _ = manifest_findings(resolve(load(tiny.path, {})), documents_in(["k8s.yaml"]))
    shown = [f"{'!' if f.is_certain else '-'} {f} -> {f.cure}" for f in findings]
    assert "hunter2" not in "".join(shown)
    assert "aHVudGVyMg" not in "".join(shown)
    return shown


def test_nothing_should_be_found_when_all_fits(tiny: Tiny) -> None:
    assert found(tiny) == []


NOT_THERE = "so it stays as it is"
CASES = {
    "a variable that is needed": (
        {
            "        - name: DATABASE_URL\n"
            "          value: postgresql://shop:$(DB_PASSWORD)@db:5432/shop\n": ""
        },
        [
            "! Deployment/shop-api: DATABASE_URL is not set, and it needs it to start (read at"
            " api/app/main.py:3) -> set it in env or envFrom of Deployment/shop-api",
            "- Deployment/shop-api: DB_PASSWORD is set, and nothing reads it (set at k8s.yaml:32)"
            " -> remove it, unless a package reads it by itself",
        ],
    ),
    "a misspelt key of a ConfigMap": (
        {'POOL_SIZE: "5"': 'POOL_SIZES: "5"'},
        [
            "! Deployment/shop-api: POOL_SIZES is set, and nothing reads it (set at k8s.yaml:5,"
            " read at api/app/main.py:6) -> POOL_SIZE?"
        ],
    ),
    "a value of another kind": (
        {'POOL_SIZE: "5"': "POOL_SIZE: 5s"},
        [
            "! Deployment/shop-api: POOL_SIZE has a value that will not do: it is no whole number"
            " (set at k8s.yaml:5, read at api/app/main.py:6) -> the code wants: whole number"
        ],
    ),
    "no text": (
        {
            'POOL_SIZE: "5"': "POOL_SIZE: 5",
            "value: shop}\n        - {name: POSTGRES_DB": "value: 7}\n        - {name: POSTGRES_DB",
        },
        [
            "! ConfigMap/api-config: POOL_SIZE is a number, and Kubernetes takes texts alone (set"
            " at k8s.yaml:5) -> write it in quotes",
            "- Deployment/shop-api: DATABASE_URL names another user than the one that db makes, 7"
            " (set at k8s.yaml:34, read at api/app/main.py:3) -> write 7, unless somebody else"
            " makes that user",
            "! StatefulSet/db: POSTGRES_USER is a number, and Kubernetes takes texts alone (set at"
            " k8s.yaml:58) -> write it in quotes",
        ],
    ),
    "no base64": (
        {"aHVudGVyMg==": "hunter2!"},
        [
            "! Secret/api-secret: password is no base64 (set at k8s.yaml:11)"
            " -> encode it, or write it under stringData"
        ],
    ),
    "no such key": (
        {"key: password}}\n        - name: DATABASE": "key: pasword}}\n        - name: DATABASE"},
        [
            "! Deployment/shop-api: DB_PASSWORD takes pasword of Secret api-secret, which has no"
            " such key (set at k8s.yaml:32) -> password?"
        ],
    ),
    "no such object": (
        {
            "secretKeyRef: {name: api-secret": "secretKeyRef: {name: vault",
            "configMapRef: {name: api-config}": "configMapRef: {name: api-confg}",
        },
        [
            "- Deployment/shop-api: it takes all that it has of ConfigMap api-confg, which is not"
            " here (set at k8s.yaml:30) -> api-config?",
            "- Deployment/shop-api: it takes DB_PASSWORD of Secret vault, which is not here (set at"
            " k8s.yaml:32) -> see that it is in the cluster before, or add it",
            "- StatefulSet/db: it takes POSTGRES_PASSWORD of Secret vault, which is not here (set"
            " at k8s.yaml:60) -> see that it is in the cluster before, or add it",
        ],
    ),
    "an object that may be missing": (
        {"configMapRef: {name: api-config}": "configMapRef: {name: other, optional: true}"},
        [],
    ),
    "a variable that nothing sets in a value": (
        {"$(DB_PASSWORD)": "$(DB_PASSWORT)"},
        [
            "! Deployment/shop-api: DATABASE_URL names $(DB_PASSWORT), which nothing sets,"
            f" {NOT_THERE} (set at k8s.yaml:34) -> $(DB_PASSWORD)?",
        ],
    ),
    "a variable that is set too late": (
        {"$(DB_PASSWORD)": "$(CACHE_HOST)"},
        [
            "! Deployment/shop-api: DATABASE_URL names $(CACHE_HOST), which is set behind it,"
            f" {NOT_THERE} (set at k8s.yaml:34) -> set CACHE_HOST before DATABASE_URL",
            "- Deployment/shop-api: DB_PASSWORD is set, and nothing reads it (set at k8s.yaml:32)"
            " -> remove it, unless a package reads it by itself",
        ],
    ),
    "a command": (
        {'args: ["nc", "-z", "db", "5432"]': 'args: ["nc -z $(DB_HOST) $(date) $$(X)"]'},
        [
            "- Deployment/shop-api (wait): its args names $(DB_HOST), which nothing sets,"
            f" {NOT_THERE} (set at k8s.yaml:25) -> set DB_HOST before, or write $$(DB_HOST) for"
            " the text"
        ],
    ),
    "the container's port": (
        {"http://api/": "http://api:8000/"},
        [
            "! CronJob/web: API_URL names port 8000 of api, which is that of its container, and not"
            " of its Service (set at k8s.yaml:88, read at web/index.js:1) -> the Service has 80"
        ],
    ),
    "no such port": (
        {"@db:5432/": "@db:5433/", "http://api/": "https://api/"},
        [
            "- CronJob/web: API_URL names no port of api, and its Service has no 443 (set at"
            " k8s.yaml:88, read at web/index.js:1) -> the Service has 80",
            "! Deployment/shop-api: DATABASE_URL names port 5433 of db, which its Service does not"
            " have (set at k8s.yaml:34, read at api/app/main.py:3) -> the Service has 5432",
        ],
    ),
    "no such host": (
        {"@db:": "@database:", "value: cache\n": "value: cahce\n"},
        [
            "- Deployment/shop-api: DATABASE_URL names the host database, and there is no such"
            " Service here (set at k8s.yaml:34, read at api/app/main.py:3) -> db?",
            "- Deployment/shop-api: CACHE_HOST names the host cahce, and there is no such Service"
            " here (set at k8s.yaml:36, read at api/app/main.py:4) -> the services are api, cache,"
            " db",
        ],
    ),
    "another password": (
        {"$(DB_PASSWORD)": "other"},
        [
            "- Deployment/shop-api: DB_PASSWORD is set, and nothing reads it (set at k8s.yaml:32)"
            " -> remove it, unless a package reads it by itself",
            "! Deployment/shop-api: DATABASE_URL has another password than POSTGRES_PASSWORD of db"
            " (set at k8s.yaml:34, read at api/app/main.py:3) -> take both from one key of a"
            " Secret, as POSTGRES_PASSWORD",
        ],
    ),
    "a variable of an image": (
        {"name: POSTGRES_PASSWORD": "name: POSTGRES_PASWORD"},
        [
            "! StatefulSet/db: none of POSTGRES_HOST_AUTH_METHOD, POSTGRES_PASSWORD,"
            " POSTGRES_PASSWORD_FILE is set, and postgres:17 does not start so -> set one of them",
            "! StatefulSet/db: POSTGRES_PASWORD is set, and postgres:17 does not read it (set at"
            " k8s.yaml:60) -> POSTGRES_PASSWORD?",
        ],
    ),
    "a variable of Kubernetes itself": (
        {"      enableServiceLinks: false\n": ""},
        [
            "! Deployment/shop-api: CACHE_PORT is set by Kubernetes for the Service cache, and that"
            " will not do: it is no whole number (set at k8s.yaml:71, read at api/app/main.py:5)"
            " -> set it yourself, or enableServiceLinks: false of the pod"
        ],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES)
def test_what_does_not_fit_should_be_named_with_its_line_when_objects_are_wrong(
    tiny: Tiny, changes: dict[str, str], expected: list[str]
) -> None:
    assert sorted(found(tiny, changes)) == sorted(expected)


def of_secret(key: str) -> str:
    return f"valueFrom: {{secretKeyRef: {{name: api-secret, key: {key}}}}}"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("postgresql://shop:pw@hunter2:5432/shop", "names the host …, and there is no such"),
        ("postgresql://shop:pw@db:5433/shop", "names port … of …, which its Service does not"),
        ("postgresql://shop:pw@db:5432/hunter2", "names the database …, and db makes shop"),
        (
            "postgresql://hunter2:pw@db:5432/shop",
            "names another user than the one that db makes, that of POSTGRES_USER",
        ),
        ("POSTGRES_DB", "is the word …, the name of a variable"),
        ("${HUNTER_2}", "still has … in it"),
    ],
)
def test_no_part_of_a_secret_should_be_shown_when_it_does_not_fit(
    tiny: Tiny, url: str, what: str
) -> None:
    changes = {
        "value: postgresql://shop:$(DB_PASSWORD)@db:5432/shop": of_secret("url"),
        "  password: aHVudGVyMg==\n": "  password: aHVudGVyMg==\nstringData:\n  user: shop\n"
        f"  url: {url}\n",
        "{name: POSTGRES_USER, value: shop}": f"{{name: POSTGRES_USER, {of_secret('user')}}}",
    }
    named = [line for line in found(tiny, changes) if "DATABASE_URL" in line]
    assert any(f"Deployment/shop-api: DATABASE_URL {what}" in line for line in named)
    assert not any(part in "".join(named) for part in ("5433", "HUNTER_2", "pw", "user makes shop"))


APART = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: db, namespace: data}
  spec: {clusterIP: None, ports: [{port: 5432}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: tool, namespace: shop}
  spec:
    hostAliases: [{ip: 192.0.2.7, hostnames: [legacy]}]
    containers:
    - name: one
      image: tool
      env:
      - {name: NEAR_HOST, value: db}
      - {name: FAR_HOST, value: db.data}
      - {name: WHOLE_URL, value: "postgres://db.data.svc.cluster.local:6432/x"}
      - {name: GONE_URL, value: "http://api.shop.svc"}
      - {name: OUTSIDE_URL, value: "https://api.example.org"}
      - {name: ALIAS_URL, value: "http://legacy:80"}
      - {name: LOCAL_URL, value: "postgres://localhost/x"}
    - name: two
      image: proxy
"""


def test_a_host_should_be_found_by_each_of_its_names_when_it_is_in_another_namespace(
    tiny: Tiny,
) -> None:
    tiny.compose_text(COMPOSE)
    tiny.write("k8s.yaml", APART)
    findings, checked = manifest_findings(resolve(load(tiny.path, {})), documents_in(["k8s.yaml"]))
    assert checked == 7
    assert [f"{f} -> {f.cure}" for f in findings] == [
        "Pod/tool in shop (one): NEAR_HOST names the host db, and that is a Service of the"
        " namespace data (set at k8s.yaml:21) -> write db.data",
        "Pod/tool in shop (one): GONE_URL names the host api.shop.svc, and there is no such"
        " Service here (set at k8s.yaml:24) -> the services are db",
    ]


MATCHES = {
    "its label": "labels: {nomock/service: api}",
    "a label of kompose": "labels: {io.kompose.service: api}",
    "its container": "annotations: {}",
}


@pytest.mark.parametrize("how", MATCHES)
def test_the_sources_should_be_those_of_the_service_when_a_container_is_that(
    tiny: Tiny, how: str
) -> None:
    changes = {
        "metadata: {labels: {app: api}}": f"metadata: {{{MATCHES[how]}}}",
        "shop/api:1.2": "shop/backend@sha256:0",
    }
    if how == "its container":
        changes["- name: main"] = "- name: api"
    changes["name: DATABASE_URL"] = "name: DATABSE_URL"
    assert any("DATABSE_URL is set, and nothing reads it" in line for line in found(tiny, changes))


def test_nothing_should_be_said_of_what_is_read_when_a_container_is_no_service(tiny: Tiny) -> None:
    changes = {"shop/api:1.2": "shop/backend:1", "name: DATABASE_URL": "name: DATABSE_URL"}
    assert found(tiny, {**changes, "labels: {app: api}": "labels: {app: other}"}) == []


def test_nothing_should_be_missing_when_an_operator_makes_the_secret(tiny: Tiny) -> None:
    sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: vault}\n---\n"
    changes = {
        "apiVersion: v1\nkind: ConfigMap": f"{sealed}apiVersion: v1\nkind: ConfigMap",
        "secretKeyRef: {name: api-secret": "secretKeyRef: {name: vault",
    }
    assert found(tiny, changes) == []
