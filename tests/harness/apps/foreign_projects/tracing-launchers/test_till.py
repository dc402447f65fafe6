import pytest


@pytest.mark.parametrize("name", ["plain", "otel", "shell", "elastic", "workers"])
def test_till(stack, name):
    assert stack[name].http.get("/").text == "till"
