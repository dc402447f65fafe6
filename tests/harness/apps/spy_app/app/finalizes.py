"""Garbage with finalizers, which Python would collect right when it tells the spy of a line."""

import gc
from wsgiref.simple_server import make_server


class AtNews:
    def __init__(self):
        self.me = self

    def __del__(self):
        ran.append(1)


class AtNoNews(AtNews):
    def __del__(self):
        ran.append(2)


class InRequest(AtNews):
    def __del__(self):
        ran.append(3)


class InRequestAtNoNews(AtNews):
    def __del__(self):
        ran.append(4)


def drop(kind):
    gc.disable()
    kind()
    # To allocate the first set makes it due, and Python next looks what is due at the second line.
    # fmt: off
    gc.enable(); first = {kind}  # noqa: E702
    second = {kind}
    return first, second


def app(environ, start_response):
    drop(InRequest)
    drop(InRequestAtNoNews)
    start_response("200 OK", [])
    return []


ran = []
gc.set_threshold(1)
drop(AtNews)
drop(AtNoNews)
server = make_server("127.0.0.1", 0, app)
environ = {"HTTP_BAGGAGE": "nomock.test=test_a.py%3A%3Atest_a"}
server.get_app()(environ, lambda status, headers: None)
server.server_close()
gc.disable()
assert ran == [1, 2, 3, 4], ran
