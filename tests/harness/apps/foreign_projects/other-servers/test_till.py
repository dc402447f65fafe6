import pytest


@pytest.mark.parametrize("name", ["uwsgi", "forked", "by-file", "waitress", "aiohttp"])
def test_till(stack, name):
    for _ in range(6):
        assert stack[name].http.get("/").status_code == 200
