import pytest


@pytest.mark.parametrize("name", ["till", "all"])
def test_till(stack, name):
    assert stack[name].http.get("/").status_code == 200
    assert stack[name].address(8000)[0] == "127.0.0.2"
