import pytest


@pytest.mark.parametrize(("path", "answer"), [("/celery", "129"), ("/rq", "99")])
def test_ordered(stack, path, answer):
    assert stack["web"].http.get(path, timeout=90).text == answer
