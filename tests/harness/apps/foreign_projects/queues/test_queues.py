import pytest

ANSWERS = {
    "/celery": "129",
    "/rq": "99",
    "/rq-own": "{'baggage': 7}",
    "/dramatiq": "88",
    "/dramatiq-bare": "99",
    "/arq": "88",
    "/arq-bare": "88",
}


@pytest.mark.parametrize("path", ANSWERS)
def test_ordered(stack, path):
    assert stack["web"].http.get(path, timeout=90).text == ANSWERS[path]
