"""The application of apps/servers on any server: in a container, the spy beside it."""

from __future__ import annotations

import http.client
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from places import APPS, ROOT
from tiny import docker, inspect

from nomock.baggage import BAGGAGE_HEADER, with_members
from nomock.coverage.harvest import prepare
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import numbers

ROOT = ROOT
SPY = ROOT / "coverage-spy"
SOURCES = APPS / "servers"

Lines = set[tuple[str, int]]
"""Lines of the application: the file's name and the number."""


@dataclass(frozen=True)
class SetUp:
    """A server, and how it runs the application."""

    name: str
    """The server, and in what way."""
    app: str
    """The application's file."""
    command: str
    ready: str
    """What is in the last line that it logs before it serves."""
    steps: str = "steps"
    """The route whose requests wait for each other; empty where they would not all meet."""

    @property
    def file(self) -> str:
        return f"{self.app}.py"

    @property
    def requests(self) -> tuple[Request, ...]:
        """What the application answers at once."""
        return REQUESTS_OF.get(self.app, REQUESTS[2:3])


def _uvicorn(name: str, options: str = "", app: str = "asgi_app", steps: str = "steps") -> SetUp:
    command = f"uvicorn --host 0.0.0.0 {options} {app}:app"
    return SetUp(name, app, command, "Application startup complete", steps)


def _gunicorn(name: str, options: str = "", app: str = "wsgi_app", steps: str = "steps") -> SetUp:
    command = f"gunicorn --bind 0.0.0.0:8000 {options} {app}:app"
    return SetUp(name, app, command, "Booting worker with pid", steps)


def _flask(name: str, options: str = "") -> SetUp:
    command = f"flask --app wsgi_app {options} run --host 0.0.0.0 --port 8000"
    return SetUp(name, "wsgi_app", command, "Running on")


def _served(name: str, command: str, ready: str = "serving", steps: str = "steps") -> SetUp:
    """Return the set-up of an application that is named last, as ``asgi_app:app`` or a script."""
    app = command.split()[-1].partition(":")[0].removesuffix(".py")
    return SetUp(name, app, command, ready, steps)


def _granian(name: str, options: str, steps: str = "steps") -> SetUp:
    return _served(name, f"granian --host 0.0.0.0 --port 8000 {options}", "Started worker", steps)


def _daphne(name: str, app: str, steps: str = "steps") -> SetUp:
    return _served(name, f"daphne -b 0.0.0.0 -p 8000 {app}", "Listening on TCP", steps)


_WAITRESS = "waitress-serve --listen 0.0.0.0:8000 --threads 40 wsgi_app:app"
_SANIC = "sanic --host 0.0.0.0 --port 8000 --single-process sanic_app:app"
_HYPERCORN = "hypercorn --bind 0.0.0.0:8000 asgi_app:app"
_ALL = (
    _uvicorn("uvicorn"),
    _uvicorn("uvicorn with 2 workers", "--workers 2", steps=""),
    _uvicorn("uvicorn --reload", "--reload"),
    _uvicorn("uvicorn and FastAPI", app="fastapi_app"),
    _gunicorn("gunicorn", steps=""),
    _gunicorn("gunicorn with threads", "--threads 32"),
    _gunicorn("gunicorn --preload", "--preload --workers 2", steps=""),
    _gunicorn("gunicorn with gevent", "--worker-class gevent"),
    _gunicorn("gunicorn with asgi", "--worker-class asgi", "asgi_app"),
    _gunicorn("gunicorn with uvicorn", "--worker-class uvicorn_worker.UvicornWorker", "asgi_app"),
    _served("hypercorn", _HYPERCORN, "Running on"),
    _flask("werkzeug by flask run"),
    _flask("werkzeug by flask --debug", "--debug"),
    _served("wsgiref", "python serve.py wsgiref wsgi_app:app", steps=""),
    _served("wsgiref by runserver", "python serve.py runserver django_app:wsgi", "Quit the"),
    _served("waitress", _WAITRESS, "Serving on"),
    _served("aiohttp.web", "python aiohttp_app.py", "Running on"),
    _served("http.server", "python http_app.py"),
    _served("Tornado", "python tornado_app.py"),
    _served("Sanic", _SANIC, "Starting worker"),
    # Asked by a server of HTTP in the same process.
    _gunicorn("gRPC with threads", "--threads 32", "grpc_app"),
    _uvicorn("gRPC with asyncio", app="grpc_aio_app"),
    # Servers that the spy does not know, and the frameworks by which it does.
    _granian("granian and Starlette", "--interface asgi asgi_app:app"),
    _granian("granian and FastAPI", "--interface asgi fastapi_app:app"),
    _granian("granian and Quart", "--interface asgi quart_app:app"),
    _granian("granian and Litestar", "--interface asgi litestar_app:app"),
    _granian("granian and Django", "--interface asgi django_app:asgi", "steps_async"),
    _granian("granian and Flask", "--interface wsgi --blocking-threads 40 wsgi_app:app"),
    _daphne("daphne and Starlette", "asgi_app:app"),
    _daphne("daphne and Django", "django_app:asgi", "steps_async"),
    _served("cheroot and Flask", "python serve.py cheroot wsgi_app:app"),
    _served("cheroot and Bottle", "python serve.py cheroot bottle_app:app"),
    _served("cheroot and Django", "python serve.py cheroot django_app:wsgi"),
    _served("gevent.pywsgi and Flask", "python serve.py gevent wsgi_app:app"),
)
SET_UPS = {set_up.name: set_up for set_up in _ALL}


@dataclass(frozen=True)
class Request:
    """A request, which steps the application takes for it, and what it answers."""

    path: str
    steps: tuple[int, ...]
    status: int = 200
    begin: str = ""
    """Of its body, before the sum."""

    @property
    def route(self) -> str:
        return self.path.split("/")[1]

    def is_answered_by(self, answer: Answer) -> bool:
        total = sum(1 << step for step in self.steps)
        body = answer.body.decode().strip()
        return answer.status == self.status and (
            answer.status == 500 or body == f"{self.begin}{total}"
        )

    def lines(self, set_up: SetUp) -> Lines:
        """Return what runs for it, beside what ran when the application started."""
        steps = [marked("steps.py", f"step {number}") for number in self.steps]
        own = marked(set_up.file, self.route)
        if set_up.app in ("http_app", *_GRPC):
            own |= marked(set_up.file, "every")
        return own.union(*steps)


REQUESTS = (
    Request("/steps/alone/1/1/0.5!31", (0, 5, 31)),
    Request("/stream", (20,), begin="one,two,"),
    Request("/middle", (21,)),
    Request("/raises", (22,), status=500),
    Request("/thread", (24,)),
    Request("/executor", (25,)),
)
POOL = Request("/pool", (26,))
STREAMS = (Request("/gathers", (24,)), Request("/echoes/one,", (25,), begin="one,"))
_GRPC = ("grpc_app", "grpc_aio_app")
REQUESTS_OF = {
    "asgi_app": (*REQUESTS, POOL),
    "django_app": REQUESTS[1:4],
    **dict.fromkeys(_GRPC, (*REQUESTS[:4], *STREAMS)),
    "wsgi_app": REQUESTS,
}
"""By application; of all others one is enough."""
HANGS = Request("/hangs", (23,))
BEHIND = {
    "asgi_app": (
        Request("/background", (27,)),
        Request("/events", (28,)),
        Request("/websocket", (29,), status=101),
    ),
    "wsgi_app": (Request("/closing", (27,)), Request("/events", (28,))),
}
"""What goes on when its answer has begun, by application; ``/ran/background`` waits for it."""


def marked(file: str, mark: str) -> Lines:
    """Return the lines of a file of the application that end with a comment ``in: mark``."""
    lines = (SOURCES / "app" / file).read_text(encoding="utf-8").splitlines()
    found = {(file, n) for n, line in enumerate(lines, 1) if line.endswith(f"# in: {mark}")}
    assert found, f"no line of {file} is marked {mark!r}"
    return found


WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""Headers that ask for one: https://www.rfc-editor.org/rfc/rfc6455#section-1.3."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class Server:
    """The application on a server in a container."""

    def __init__(self, id_: str, data_dir: Path) -> None:
        self.id = id_
        self._data_dir = data_dir
        self._port = 0

    def wait_until(self, ready: str) -> None:
        """Return when it serves; fails when it ended, or has logged nothing of it in a minute."""
        follow = ["timeout", "60", "docker", "logs", "--follow", self.id]
        with subprocess.Popen(
            follow, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as logs:
            assert logs.stdout is not None
            found = any(ready in line for line in logs.stdout)
            logs.terminate()
        assert found, f"it does not serve:\n{self.logs()}"
        bound = inspect(self.id)["NetworkSettings"]["Ports"]["8000/tcp"]
        self._port = int(bound[0]["HostPort"])
        # Some log it a moment before they listen.
        while self._refuses():
            assert inspect(self.id)["State"]["Running"], f"it ended:\n{self.logs()}"

    def _refuses(self) -> bool:
        try:
            return self.get("/", "").status != 404
        except (ConnectionError, http.client.BadStatusLine):
            return True

    def get(self, path: str, test: str) -> Answer:
        """Ask for a path in the name of a test; "" is none."""
        with self.begun(path, test) as response:
            return Answer(response.status, response.read())

    @contextmanager
    def begun(
        self, path: str, test: str, *, websocket: bool = False
    ) -> Iterator[http.client.HTTPResponse]:
        """A response whose body is still to be read, or with which a websocket begins."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            headers = dict(WEBSOCKET) if websocket else {"Connection": "close"}
            if test:
                headers[BAGGAGE_HEADER] = with_members("", test)
            connection.request("GET", path, headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def ran(self) -> dict[str, Lines]:
        """Return the lines that are on disk now, by test; those of none are ""'s."""
        contexts: defaultdict[str, Lines] = defaultdict(set)
        for process in read_all(self._data_dir).processes:
            for ran in process.ran():
                name = Path(ran.file.path).name
                contexts[ran.context.test] |= {(name, line) for line in numbers(ran.lines)}
        return dict(contexts)

    def kill(self) -> None:
        """End every process of it at once."""
        docker("kill", "--signal", "KILL", self.id)

    def logs(self) -> str:
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True)
        return done.stdout + done.stderr


@contextmanager
def serving(
    image: str, set_up: SetUp, data_dir: Path, *options: str, spy: Path = SPY
) -> Iterator[Server]:
    """A server that serves; its container is gone after the block. Options are docker's."""
    prepare(data_dir)
    id_ = docker(
        *("run", "--detach", "--read-only", "--tmpfs", "/tmp", "--publish", "127.0.0.1::8000"),
        *("--mount", f"type=bind,source={spy},target=/nomock-spy,readonly"),
        *("--mount", f"type=bind,source={data_dir},target=/nomock-spy-data"),
        *("--env", "PYTHONPATH=/nomock-spy"),
        *("--env", "NOMOCK_SPY_OUT=/nomock-spy-data", "--env", "NOMOCK_SPY_SERVICE=app"),
        *(*options, image, *set_up.command.split()),
    ).strip()
    try:
        server = Server(id_, data_dir)
        server.wait_until(set_up.ready)
        yield server
    finally:
        docker("rm", "--force", "--volumes", id_)
