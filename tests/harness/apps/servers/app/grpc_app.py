"""A server of gRPC with threads, and one of HTTP that asks it.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
from flask import Flask, Response
from steps import STEPS

app = Flask(__name__)
meetings: dict[str, threading.Barrier] = {}
MINE = (("baggage", "user=1"), ("key", "value"))


@app.get("/<route>", defaults={"words": ""})
@app.get("/<route>/<path:words>")
def ask(route: str, words: str) -> Response:
    sent = words.encode() if route in ONE_REQUEST else iter([words.encode()])  # in: every
    call = calls[route]  # in: every
    return Response([a] if isinstance(a := call(sent, metadata=MINE), bytes) else a)  # in: every


def steps(request: bytes, context: grpc.ServicerContext) -> bytes:
    meeting, parties, rounds, parts = request.decode().split("/")  # in: steps
    everybody = meetings.setdefault(meeting, threading.Barrier(int(parties)))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        everybody.wait()  # in: steps
        for number in part.split(".") * int(rounds):  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            time.sleep(0)  # in: steps
    return str(total).encode()  # in: steps


def middle(request: bytes, context: grpc.ServicerContext) -> bytes:
    found = [(k, v.split(",")[0]) for k, v in context.invocation_metadata()]  # in: middle
    return str(STEPS[21]() if set(MINE) <= set(found) else found).encode()  # in: middle


def raises(request: bytes, context: grpc.ServicerContext) -> bytes:
    raise LookupError(STEPS[22]())  # in: raises


def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    yield b"one,"  # in: stream
    yield b"two,"  # in: stream
    yield str(STEPS[20]()).encode()  # in: stream


def hangs(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    yield str(STEPS[23]()).encode()  # in: hangs
    threading.Event().wait()  # in: hangs later


def gathers(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    found = b"".join(requests)  # in: gathers
    return found + str(STEPS[24]()).encode()  # in: gathers


def echoes(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests  # in: echoes
    yield str(STEPS[25]()).encode()  # in: echoes


ONE_REQUEST = ("steps", "middle", "raises", "stream", "hangs")
KINDS = {
    "unary_unary": (steps, middle, raises),
    "unary_stream": (stream, hangs),
    "stream_unary": (gathers,),
    "stream_stream": (echoes,),
}
server = grpc.server(ThreadPoolExecutor(40))
channel = grpc.insecure_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
handlers, calls = {}, {}
for kind, functions in KINDS.items():
    for function in functions:
        name = function.__name__
        handlers[name] = getattr(grpc, f"{kind}_rpc_method_handler")(function)
        calls[name] = getattr(channel, kind)(f"/app/{name}")
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("app", handlers)])
server.start()
