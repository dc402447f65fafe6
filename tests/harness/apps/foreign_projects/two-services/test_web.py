def test_web(stack, faults):
    http = stack["web"].http
    with faults.latency("web->api", latency_ms=800):
        assert http.get("/").elapsed.total_seconds() > 0.7
