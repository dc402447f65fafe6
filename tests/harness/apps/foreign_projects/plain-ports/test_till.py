import pytest


@pytest.mark.parametrize("name", ["first", "till", "front", "six", "twice", "inside"])
def test_each_should_answer(stack, name):
    assert stack[name].http.get("/").status_code == 200


def test_one_replica_should_answer_whatever_is_asked(stack):
    till = stack["till"]
    assert till.container_id.startswith(till.http.get("/").text)
    assert till.url == f"http://127.0.0.1:{till.port(8000)}"
    assert till.address(8000) == ("127.0.0.1", till.port(8000))
    assert {till.http.get("/").text for _ in range(5)} == {till.http.get("/").text}
    # The front asks them all, and is none of them.
    assert not stack["front"].container_id.startswith(stack["front"].http.get("/").text)


def test_an_ipv6_port_should_have_brackets(stack):
    assert stack["six"].url == f"http://[::1]:{stack['six'].port(8000)}"
    assert stack["six"].address(8000, "udp")[1] == stack["six"].port(8000, "udp")
