"""Ports of real containers: from inside another one, over IPv6, without being published."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from proxied import proxied, toxiproxy
from tiny import IMAGE, LISTENS, ROOT, Tiny, docker, idle, server

from nomock.adapters.engine import endpoint
from nomock.adapters.httpfaults import HttpFaults
from nomock.errors import ConfigError, HttpFaultsError, NotReadyError, UnpublishedError

ASKS = """
import http.client, sys
from nomock.adapters.engine import Engine
for container in Engine().containers(sys.argv[1]):
    address = container.published(8000)
    asked = http.client.HTTPConnection(*address)
    asked.request("GET", "/")
    print(address.host, asked.getresponse().status)
"""


def test_a_port_should_be_reached_when_a_container_was_given_the_engines_socket(
    tiny: Tiny,
) -> None:
    tiny.compose(web=server(healthcheck=LISTENS, ports=["8000"]))
    with_socket = tiny.stack()
    with_socket.prepare()
    with_socket.close()
    socket_path = urlsplit(endpoint()).path
    mounts = [f"{socket_path}:/var/run/docker.sock", f"{ROOT / 'src'}:/src:ro"]
    options = [word for mount in mounts for word in ("--volume", mount)]
    options += ["--rm", "--env", "PYTHONPATH=/src", "--env", "PYTHONDONTWRITEBYTECODE=1"]
    said = docker("run", *options, IMAGE, "python3", "-c", ASKS, tiny.name)
    host, status = said.split()
    assert (status, host != "127.0.0.1") == ("200", True)


def test_faults_should_begin_and_heal_when_toxiproxy_is_published_on_ipv6(tiny: Tiny) -> None:
    edges = ["127.0.0.1::18000", "127.0.0.1::18001"]
    proxied(
        tiny,
        """
        def test_latency(stack, faults):
            assert stack["toxiproxy"].address(8474).host == "::1"
            with faults.latency("shop->web", latency_ms=30):
                assert through(stack, "shop->web").status_code == 200

        def test_refused(stack, faults):
            with faults.refused("shop->web"):
                with pytest.raises(httpx.TransportError):
                    through(stack, "shop->web")
        """,
        toxiproxy=toxiproxy(ports=["[::1]::8474", *edges]),
    )
    tiny.run().assert_outcomes(passed=2)


def test_the_http_proxy_should_be_named_with_brackets_when_it_is_on_ipv6() -> None:
    with pytest.raises(HttpFaultsError) as caught:
        HttpFaults("::1", 9).rules()
    assert caught.value.where == "HTTP fault proxy at [::1]:9"


def test_a_service_that_publishes_nothing_should_be_reached_when_its_network_is_here(
    tiny: Tiny,
) -> None:
    web = server(healthcheck=LISTENS, ports=[], networks=["inside"], expose=["8000"])
    services = {"web": web, "bare": server(healthcheck=LISTENS, ports=[]), "alone": idle()}
    inside = {"networks": {"inside": {"internal": True}}}
    tiny.compose_text(json.dumps({"services": services, **inside}))
    stack = tiny.stack()
    stack.prepare()
    assert stack["web"].http.get("/").status_code == 200
    assert stack["web"].http is stack["web"].http
    assert stack["web"].url == f"http://{stack['web'].address(8000)}"
    assert stack["web"].address(8000).port == 8000
    # Who writes 127.0.0.1 before it would ask another.
    with pytest.raises(UnpublishedError) as caught:
        stack["web"].port(8000)
    assert str(caught.value) == (
        "service web: the compose file does not publish port 8000\n"
        "  published: none\n"
        '-> publish it: add to web in the compose file  ports: ["127.0.0.1::8000"]'
    )
    assert stack["bare"].address(8000).port == 8000
    with pytest.raises(UnpublishedError, match="does not publish any port"):
        _ = stack["bare"].url
    with pytest.raises(ConfigError, match="network_mode: none"):
        stack["alone"].address(8000)
    stack["web"].kill()
    with pytest.raises(NotReadyError, match="port 8000 is not open: the container is exited"):
        stack["web"].address(8000)
    stack.close()


def test_the_probe_should_ask_over_ipv6_when_a_port_is_there_only(tiny: Tiny) -> None:
    tiny.compose(web=server(ports=["[::1]::8000"]), six=server(ports=["[::1]::8000"]))
    stack = tiny.stack(probes={"six": "http:8000/"})
    stack.prepare()
    assert stack["web"].http.get("/").status_code == 200
    assert stack["web"].url.startswith("http://[::1]:")
    stack.close()
