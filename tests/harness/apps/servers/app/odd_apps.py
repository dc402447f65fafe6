"""Applications of kinds that servers take, beside the functions and objects that all have."""

import functools

from aiohttp import web
from tornado.web import Application, RequestHandler


class WsgiClass:
    """What PEP 3333 has as an example: making one is the call."""

    def __init__(self, environ, start_response):
        self.start = start_response

    def __iter__(self):
        self.start("200 OK", [("Content-Type", "text/plain")])
        yield b"a class"


class Slotted:
    """Nothing can be added to one."""

    __slots__ = ()

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body()


class Body:
    """A body whose length a server may ask for, and may take for the answer's."""

    def __init__(self):
        self.parts = iter([b"slots"])

    def __len__(self):
        return 1

    def __iter__(self):
        return self.parts


def wsgi(word, environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(word)))])
    return [word]


async def asgi(word, scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-length", str(len(word)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": word})


class AsgiSlots:
    """As a framework's object, with nothing that can be added."""

    __slots__ = ()

    async def __call__(self, scope, receive, send):
        # What a library may ask of what it is handed.
        word = f"{send.__class__.__name__} {receive.__class__.__name__}".encode()
        await asgi(word, scope, receive, send)


class Asgi2:
    """What ASGI had before: an instance for each scope."""

    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await asgi(b"two calls", self.scope, receive, send)


def not_marked(scope, receive, send):
    return asgi(b"a function that returns what is awaited", scope, receive, send)


def factory():
    return AsgiSlots()


wsgi_slots = Slotted()
wsgi_partial = functools.partial(wsgi, b"a partial")
asgi_slots = AsgiSlots()
asgi_partial = functools.partial(asgi, b"an async partial")


async def hello(request):
    return web.Response(text="aiohttp")


async def aiohttp_factory():
    app = web.Application()
    app.router.add_get("/", hello)
    return app


aiohttp_app = web.Application()
aiohttp_app.router.add_get("/", hello)


class Hello(RequestHandler):
    """Tornado's."""

    def get(self):
        self.write("tornado")


tornado_app = Application([("/", Hello)])
