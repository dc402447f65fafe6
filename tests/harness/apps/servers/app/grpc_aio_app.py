"""A server of gRPC with asyncio, and one of HTTP that asks it.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from steps import STEPS

meetings: dict[str, asyncio.Barrier] = {}
MINE = (("baggage", "user=1"), ("key", "value"))


async def ask(request: Request) -> Response:
    route, words = request.path_params["route"], request.path_params.get("words", "")  # in: every
    sent = words.encode() if route in ONE_REQUEST else iter([words.encode()])  # in: every
    answer = calls[route](sent, metadata=MINE)  # in: every
    is_stream = hasattr(answer, "__aiter__")  # in: every
    return StreamingResponse(answer) if is_stream else PlainTextResponse(await answer)  # in: every


async def steps(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    meeting, parties, rounds, parts = request.decode().split("/")  # in: steps
    everybody = meetings.setdefault(meeting, asyncio.Barrier(int(parties)))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * int(rounds):  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return str(total).encode()  # in: steps


async def middle(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    found = [(k, v.split(",")[0]) for k, v in context.invocation_metadata()]  # in: middle
    return str(STEPS[21]() if set(MINE) <= set(found) else found).encode()  # in: middle


def raises(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    raise LookupError(STEPS[22]())  # in: raises


async def stream(request: bytes, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
    yield b"one,"  # in: stream
    yield b"two,"  # in: stream
    yield str(STEPS[20]()).encode()  # in: stream


async def hangs(request: bytes, context: grpc.aio.ServicerContext) -> None:
    await context.write(str(STEPS[23]()).encode())  # in: hangs
    await asyncio.Event().wait()  # in: hangs later


async def gathers(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> bytes:
    found = b"".join([request async for request in requests])  # in: gathers
    return found + str(STEPS[24]()).encode()  # in: gathers


async def echoes(
    requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
) -> AsyncIterator[bytes]:
    async for request in requests:  # in: echoes
        yield request  # in: echoes
    yield str(STEPS[25]()).encode()  # in: echoes


ONE_REQUEST = ("steps", "middle", "raises", "stream", "hangs")
KINDS = {
    "unary_unary": (steps, middle, raises),
    "unary_stream": (stream, hangs),
    "stream_unary": (gathers,),
    "stream_stream": (echoes,),
}
calls = {}


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[None]:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    channel, handlers = grpc.aio.insecure_channel(f"127.0.0.1:{port}"), {}
    for kind, functions in KINDS.items():
        for function in functions:
            name = function.__name__
            handlers[name] = getattr(grpc, f"{kind}_rpc_method_handler")(function)
            calls[name] = getattr(channel, kind)(f"/app/{name}")
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("app", handlers)])
    await server.start()
    yield


app = Starlette(
    routes=[Route("/{route}", ask), Route("/{route}/{words:path}", ask)], lifespan=serving
)
