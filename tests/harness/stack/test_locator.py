"""Which address is chosen for a published port, wherever the engine is and whatever it lists."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from nomock.adapters.engine.container import container_of
from nomock.adapters.engine.locator import Locator
from nomock.adapters.engine.machine import EngineMachine
from nomock.errors import UnpublishedError, UnreachableError
from nomock.target import Address, Binding, Network, Ports

SOCKET = "unix:///var/run/docker.sock"
RELAY = "tcp://127.0.0.2:2375"
FAR = "tcp://192.0.2.77:2375"
"""A documentation address: nobody has it, and it needs no name server."""


class Listening:
    """Ports of this machine on which somebody listens, and one on which nobody does."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened

    def on(self, host: str, port: int = 0) -> int:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = socket.create_server((host, port), family=family)
        return int(self._opened.enter_context(closing(server)).getsockname()[1])

    def closed(self, host: str = "127.0.0.1") -> int:
        """Return a port that is bound, so that nobody else gets it, and refuses."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = self._opened.enter_context(closing(socket.socket(family)))
        bound.bind((host, 0))
        return int(bound.getsockname()[1])


@pytest.fixture
def listening() -> Iterator[Listening]:
    """Opens what a test wants to be listened on."""
    with ExitStack() as opened:
        yield Listening(opened)


def ports(*bindings: tuple[str, int], **more: object) -> Ports:
    found = [Binding(8000, "tcp", address, port) for address, port in bindings]
    return Ports(**{"bindings": found, "exposed": [], "networks": [], "is_on_host": False, **more})


def chosen(found: Ports, endpoint: str = SOCKET, host: str | None = None) -> Address:
    return Locator(endpoint, host).published("web", found, 8000, "tcp")


def test_the_ipv4_number_should_be_asked_over_ipv4_when_ipv6_has_another(
    listening: Listening,
) -> None:
    four, six = listening.on("127.0.0.1"), listening.on("::1")
    for both in ([("0.0.0.0", four), ("::", six)], [("::", six), ("0.0.0.0", four)]):
        assert chosen(ports(*both)) == ("127.0.0.1", four)


def test_the_ipv6_number_should_be_asked_over_ipv6_when_there_is_no_other(
    listening: Listening,
) -> None:
    six = listening.on("::1")
    for address in ("::", "::1"):
        found = chosen(ports((address, six)))
        assert found == ("::1", six)
        assert f"http://{found}/" == f"http://[::1]:{six}/"


def test_the_next_binding_should_be_taken_when_the_first_refuses(listening: Listening) -> None:
    four, six = listening.closed(), listening.on("::1")
    # Behind TCP, so that nothing is taken for sure.
    assert chosen(ports(("0.0.0.0", four), ("::", six)), "tcp://localhost:2375") == ("::1", six)


def test_a_choice_should_be_remembered_when_it_refuses_later(listening: Listening) -> None:
    locator, six = Locator("tcp://localhost:2375"), listening.on("::1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        both = ports(("0.0.0.0", server.getsockname()[1]), ("::", six))
        first = locator.published("web", both, 8000, "tcp")
    assert first.host == "127.0.0.1"
    assert locator.published("web", both, 8000, "tcp") == first


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
@pytest.mark.parametrize("endpoint", [SOCKET, RELAY, "tcp://localhost:2375", "npipe:////./pipe/x"])
def test_an_address_should_be_taken_as_it_stands_when_a_port_is_on_no_other(
    listening: Listening, address: str, endpoint: str
) -> None:
    port = listening.on(address)
    assert chosen(ports((address, port)), endpoint) == (address, port)


@pytest.mark.parametrize(
    ("endpoint", "setting", "expected"),
    [
        (SOCKET, None, "127.0.0.1"),
        ("unix:///run/user/1000/docker.sock", None, "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", None, "127.0.0.1"),
        ("tcp://localhost:2375", None, "127.0.0.1"),
        ("tcp://127.0.0.1:2375", None, "127.0.0.1"),
        ("tcp://[::1]:2375", None, "127.0.0.1"),
        ("tcp://:2375", None, "127.0.0.1"),
        (RELAY, None, "127.0.0.2"),
        ("ssh://me@127.0.0.2", None, "127.0.0.2"),
        (SOCKET, "127.0.0.3", "127.0.0.3"),
        (FAR, "127.0.0.3", "127.0.0.3"),
        ("ssh://me@far.example", "localhost", "127.0.0.1"),
    ],
)
def test_all_addresses_should_be_those_of_the_engines_machine_when_a_port_is_on_all(
    endpoint: str, setting: str | None, expected: str
) -> None:
    assert list(EngineMachine(endpoint, setting).hosts(socket.AF_INET))[:1] == [expected]


def test_a_far_engines_host_should_be_asked_when_a_port_is_on_all() -> None:
    assert list(EngineMachine(FAR).hosts(socket.AF_INET)) == ["192.0.2.77"]
    assert list(EngineMachine("tcp://[2001:db8::7]:1").hosts(socket.AF_INET6)) == ["2001:db8::7"]


def test_the_setting_should_be_believed_when_a_port_is_on_all(listening: Listening) -> None:
    port = listening.on("127.0.0.3")
    assert chosen(ports(("0.0.0.0", port)), FAR, "127.0.0.3") == ("127.0.0.3", port)
    assert chosen(ports(("0.0.0.0", port)), SOCKET, "127.0.0.3") == ("127.0.0.3", port)
    # Whoever says so has brought the other machine's ports here.
    assert chosen(ports(("127.0.0.3", port)), FAR, "127.0.0.1") == ("127.0.0.3", port)


def test_a_port_should_be_called_unreachable_when_it_is_on_the_loopback_of_another_machine() -> (
    None
):
    found = ports(("127.0.0.1", 32768), ("::", 32769))
    with pytest.raises(UnreachableError) as caught:
        chosen(found, FAR)
    assert str(caught.value) == (
        "service web: port 8000 cannot be reached from here\n"
        "  the engine has it on 127.0.0.1:32768, [::]:32769\n"
        "  127.0.0.1:32768: is on the loopback of 192.0.2.77\n"
        "  [::]:32769: 192.0.2.77: no address of IPv6\n"
        "-> say which host reaches it from here: host in [tool.nomock], or NOMOCK_HOST"
    )


def test_what_was_tried_should_be_said_when_every_address_refuses(listening: Listening) -> None:
    four, six = listening.closed("127.0.0.2"), listening.closed("::1")
    with pytest.raises(UnreachableError) as caught:
        chosen(ports(("::1", six), ("0.0.0.0", four)), SOCKET, "127.0.0.2")
    assert str(caught.value) == (
        "service web: port 8000 cannot be reached from here\n"
        f"  the engine has it on 0.0.0.0:{four}, [::1]:{six}\n"
        f"  127.0.0.2:{four}: Connection refused\n"
        f"  [::1]:{six}: Connection refused\n"
        "-> say which host reaches it from here: host in [tool.nomock], or NOMOCK_HOST"
    )


def test_the_way_out_should_be_to_publish_on_all_when_a_port_is_on_one(
    listening: Listening,
) -> None:
    with pytest.raises(UnreachableError) as caught:
        chosen(ports(("127.0.0.1", listening.on("127.0.0.1"))), FAR)
    assert caught.value.todo == (
        'publish it on all addresses of the engine\'s machine, ports: ["8000"]; or say which host '
        "reaches it from here: host in [tool.nomock], or NOMOCK_HOST"
    )


def test_the_lowest_number_should_be_taken_when_a_port_is_published_twice(
    listening: Listening,
) -> None:
    one, two = sorted((listening.on("127.0.0.1"), listening.on("127.0.0.1")))
    twice = [("0.0.0.0", two), ("::", two), ("0.0.0.0", one), ("::", one)]
    assert chosen(ports(*twice)) == ("127.0.0.1", one)


def test_a_tcp_port_should_be_chosen_when_a_udp_port_has_the_same_number(
    listening: Listening,
) -> None:
    port = listening.on("127.0.0.1")
    both = [Binding(8000, "udp", "0.0.0.0", 9), Binding(8000, "tcp", "127.0.0.1", port)]
    found = ports(bindings=both)
    assert chosen(found) == ("127.0.0.1", port)
    assert Locator(SOCKET).published("web", found, 8000, "udp") == ("127.0.0.1", 9)
    assert Locator(FAR).published("web", found, 8000, "udp") == ("192.0.2.77", 9)


def test_a_port_should_be_its_own_number_when_a_service_has_the_machines_network(
    listening: Listening,
) -> None:
    locator, found = Locator(SOCKET), ports(is_on_host=True)
    for host in ("127.0.0.1", "::1"):
        port = listening.on(host)
        assert locator.published("web", found, port, "tcp") == (host, port)


def test_a_port_should_be_called_unpublished_when_no_network_of_it_is_here() -> None:
    elsewhere = Network("f" * 64, ("172.18.0.2",))
    found = ports(networks=[elsewhere], bindings=[Binding(53, "udp", "0.0.0.0", 53)])
    for endpoint, line in ((SOCKET, "127.0.0.1::5432"), (FAR, "5432")):
        with pytest.raises(UnpublishedError) as caught:
            Locator(endpoint).reached("db", found, 5432, "tcp")
        assert str(caught.value) == (
            "service db: the compose file does not publish port 5432\n"
            "  published: 53/udp\n"
            f'-> publish it: add to db in the compose file  ports: ["{line}"]'
        )


def test_a_binding_should_be_on_all_addresses_when_the_engine_names_none() -> None:
    port = {"PrivatePort": 8000, "PublicPort": 32768, "Type": "tcp"}
    listed = {"Id": "1", "State": "running", "Ports": [port, {**port, "IP": ""}]}
    found = container_of(listed, Locator(SOCKET)).ports.bindings
    assert found == [Binding(8000, "tcp", "0.0.0.0", 32768)] * 2
