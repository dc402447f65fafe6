import pytest


@pytest.mark.parametrize("name", ["a", "b", "till"])
def test_it(stack, name):
    assert stack[name].http.get("/").status_code == 200
