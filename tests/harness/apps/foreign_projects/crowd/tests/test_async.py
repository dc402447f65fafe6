import asyncio

import pytest


@pytest.fixture
async def client(stack):
    async with stack["web"].async_client() as opened:
        yield opened


async def test_first(stack):
    assert (await stack["web"].async_http.get("/")).status_code == 200


async def test_second_in_a_loop_of_its_own(stack):
    assert (await stack["web"].async_http.get("/")).status_code == 200


async def test_fault(client, faults):
    with faults.latency("web->api", latency_ms=300):
        replies = await asyncio.gather(*(client.get("/") for _ in range(3)))
    assert min(reply.elapsed.total_seconds() for reply in replies) > 0.25
