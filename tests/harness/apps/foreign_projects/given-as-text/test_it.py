def test_it(stack):
    for name in stack:
        assert stack[name].http.get("/").status_code == 200
