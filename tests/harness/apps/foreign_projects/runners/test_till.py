import pytest


@pytest.mark.parametrize(
    "name", ["uvpython", "uvscript", "uvserver", "honcho", "supervised", "entry"]
)
def test_till(stack, name):
    assert stack[name].http.get("/").text == "till"
