"""Compose files as others write them: they render, validate, and the report says what is lost."""

from __future__ import annotations

from typing import Any

import pytest
from rendering import Objects
from tiny import Tiny

from nomock.loading import load
from nomock.project import resolve
from nomock.sandbox.render import place_of, render

VOTING = """
services:
  vote:
    build: {context: ./vote, target: dev}
    depends_on: {redis: {condition: service_healthy}}
    healthcheck: {test: [CMD, curl, -f, "http://localhost"], interval: 15s, start_period: 10s}
    volumes: ["./vote:/usr/local/app"]
    ports: ["8080:80"]
    networks: [front-tier, back-tier]
  worker:
    build: {context: ./worker}
    depends_on: {redis: {condition: service_healthy}, db: {condition: service_healthy}}
    networks: [back-tier]
  redis:
    image: redis:alpine
    volumes: ["./healthchecks:/healthchecks"]
    healthcheck: {test: /healthchecks/redis.sh, interval: "5s"}
    networks: [back-tier]
  db:
    image: postgres:15-alpine
    environment: {POSTGRES_USER: postgres, POSTGRES_PASSWORD: postgres}
    volumes: ["db-data:/var/lib/postgresql/data", "./healthchecks:/healthchecks"]
    healthcheck: {test: /healthchecks/postgres.sh, interval: "5s"}
    networks: [back-tier]
volumes: {db-data: }
networks: {front-tier: , back-tier: }
"""
PROXY = """
services:
  proxy:
    image: traefik:3
    command: [--providers.docker, --entrypoints.web.address=:80]
    ports: ["80:80", "8443:443/tcp"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
    restart: unless-stopped
  app_web:
    image: shop
    user: "1000:1000"
    scale: 3
    labels: ["traefik.http.routers.app.rule=Host(`app.localhost`)"]
    expose: [8000]
    restart: unless-stopped
"""
CELERY = """
x-app: &app
  build: .
  env_file: [.env.app]
  volumes: [".:/app", "media:/media"]
  depends_on: [redis, db]
  restart: "no"
  stop_grace_period: 3s
services:
  web: {<<: *app, command: gunicorn app, ports: ["8000"], profiles: [web, ""]}
  worker: {<<: *app, command: celery worker -l info}
  beat: {<<: *app, command: celery beat, profiles: [never]}
  redis: {image: "redis:7", restart: always}
  db:
    image: postgres:17
    environment: [POSTGRES_PASSWORD]
    ports: ["127.0.0.1:5432:5432"]
volumes: {media: }
"""
SEARCH = """
services:
  search:
    image: elasticsearch:8
    environment: [discovery.type=single-node, "ES_JAVA_OPTS=-Xms512m -Xmx512m"]
    ulimits: {memlock: {soft: -1, hard: -1}, nofile: 65536}
    cap_add: [IPC_LOCK]
    mem_limit: 1g
    sysctls: {vm.max_map_count: 262144}
    ports: ["9200:9200", "9300:9300"]
    deploy: {resources: {reservations: {memory: 1g}}}
  metrics:
    image: cadvisor
    privileged: true
    devices: [/dev/kmsg]
    network_mode: host
    pid: host
    volumes: ["/:/rootfs:ro", "/sys:/sys:ro"]
"""
SWARM = """
services:
  api:
    image: registry.example.org/api:1.2
    deploy:
      mode: replicated
      replicas: 2
      update_config: {parallelism: 1, order: start-first}
      restart_policy: {condition: any, delay: 5s}
      placement: {constraints: [node.labels.zone == a]}
      resources: {limits: {cpus: "0.5", memory: 256M}}
    secrets: [db_password]
    configs: [{source: api_config, target: /etc/api.toml, mode: 0440}]
    networks: {backend: {aliases: [api.internal]}}
  agent: {image: agent, deploy: {mode: global}, networks: [backend]}
secrets: {db_password: {file: ./password.txt}}
configs: {api_config: {external: true}}
networks: {backend: {driver: overlay, attachable: true}}
"""
VPN = """
services:
  vpn:
    image: gluetun
    cap_add: [NET_ADMIN]
    devices: ["/dev/net/tun:/dev/net/tun"]
    ports: ["8888:8888/tcp", "8388:8388/udp"]
    dns: [1.1.1.1]
    extra_hosts: ["host.docker.internal:host-gateway", "old:10.0.0.9"]
  client: {image: client, network_mode: "service:vpn", init: true, tty: true}
  legacy: {image: legacy, links: ["client:peer"], container_name: Legacy_1, hostname: Legacy.local}
"""

SHAPES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "voting": (
        VOTING,
        [("db", "volumes"), ("redis", "volumes"), ("vote", "volumes")],
    ),
    "proxy": (PROXY, [("app_web", "(its name)"), ("proxy", "volumes")]),
    "celery": (
        CELERY,
        [
            ("web", "restart"),
            ("web", "volumes"),
            ("web", "volumes"),
            ("worker", "restart"),
            ("worker", "volumes"),
            ("worker", "volumes"),
        ],
    ),
    "search": (
        SEARCH,
        [
            ("metrics", "devices"),
            ("metrics", "network_mode"),
            ("metrics", "pid"),
            ("metrics", "privileged"),
            ("metrics", "volumes"),
            ("metrics", "volumes"),
            ("search", "sysctls.vm.max_map_count"),
            ("search", "ulimits"),
        ],
    ),
    "swarm": (
        SWARM,
        [
            ("agent", "deploy.mode"),
            ("api", "configs.source"),
            ("api", "deploy.update_config"),
            ("api", "deploy.restart_policy.delay"),
            ("api", "deploy.placement"),
            ("api", "networks.backend.aliases"),
            ("-", "configs.api_config.external"),
            ("-", "networks.backend.driver"),
        ],
    ),
    "vpn": (
        VPN,
        [
            ("client", "depends_on.vpn.restart"),
            ("client", "network_mode"),
            ("legacy", "container_name"),
            ("legacy", "depends_on.client.restart"),
            ("legacy", "hostname"),
            ("vpn", "devices"),
            ("vpn", "dns"),
            ("vpn", "extra_hosts"),
        ],
    ),
}


def promoted(tiny: Tiny, text: str) -> Objects:
    tiny.compose_text(text)
    tiny.write(".env.app", "DEBUG=1\nSECRET_KEY=abc\n")
    tiny.write("password.txt", "s3cret")
    tiny.write("vote/app.py", "print()")
    tiny.write("worker/Dockerfile", "FROM scratch")
    tiny.write("healthchecks/redis.sh", "#!/bin/sh\n").chmod(0o755)
    settings = load(tiny.path)
    return Objects(render(resolve(settings), place_of("t1"), state_dir=settings.state_dir))


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_lost_should_be_said_when_a_foreign_file_is_rendered(
    tiny: Tiny, shape: str
) -> None:
    text, lost = SHAPES[shape]
    assert promoted(tiny, text).lost == lost


def test_the_objects_should_be_what_the_authors_mean_when_their_files_are_rendered(
    tiny: Tiny,
) -> None:
    def ports(found: Objects, name: str) -> list[int]:
        return [port["port"] for port in found[f"Service {name}"]["spec"].get("ports", [])]

    voting = promoted(tiny, VOTING)
    assert voting.rendered.waves == [["db", "redis"], ["vote", "worker"]]
    (script,) = [v for v in voting.pod("redis")["volumes"] if "configMap" in v]
    assert script["configMap"]["items"] == [{"key": "redis.sh", "path": "redis.sh", "mode": 0o755}]
    probe = voting.container("redis")["readinessProbe"]["exec"]["command"]
    assert probe == ["/bin/sh", "-c", "/healthchecks/redis.sh"]

    proxy = promoted(tiny, PROXY)
    assert proxy["Deployment app-web"]["spec"]["replicas"] == 3
    assert "volumes" not in proxy.pod("proxy")

    celery = promoted(tiny, CELERY)
    assert "Deployment beat" not in celery.names  # its profile is not on
    environment: dict[str, Any] = {e["name"]: e for e in celery.container("worker")["env"]}
    assert environment["DEBUG"]["value"] == "1"
    assert "valueFrom" in environment["SECRET_KEY"]
    assert ports(celery, "db") == [5432]

    swarm = promoted(tiny, SWARM)
    (mount,) = swarm.container("api")["volumeMounts"]
    assert mount["mountPath"] == "/run/secrets/db_password"

    vpn = promoted(tiny, VPN)
    assert vpn["Service peer"]["spec"]["selector"] == {"nomock/service": "client"}
    assert vpn.pod("vpn")["hostAliases"] == [{"ip": "10.0.0.9", "hostnames": ["old"]}]
