import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.mark.anyio
async def test_web(stack, faults):
    with faults.latency("web->api", latency_ms=1):
        assert (await stack["web"].async_http.get("/")).status_code == 200
