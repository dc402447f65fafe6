import os


def test_till(stack):
    shop = os.environ.get("EXPECTED", "corner")
    assert stack["till"].http.get("/").text == f"till {shop}"
