import pytest


@pytest.mark.parametrize("name", ["debian", "user", "linked", "module", "own", "copied"])
def test_till(stack, name):
    assert stack[name].http.get("/").text == "till"
