"""Each server with applications of odd kinds: prints what each answers, logs and exits with."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

WSGI = ("WsgiClass", "wsgi_slots", "wsgi_partial")
ASGI = ("asgi_slots", "asgi_partial", "Asgi2", "not_marked")
COMMANDS = [
    *(f"gunicorn --bind 127.0.0.1:PORT odd_apps:{app}" for app in WSGI),
    *(f"waitress-serve --listen 127.0.0.1:PORT odd_apps:{app}" for app in WSGI),
    *(f"uvicorn --port PORT odd_apps:{app}" for app in ASGI),
    "uvicorn --port PORT --factory odd_apps:factory",
    "uvicorn --port PORT odd_apps:factory",
    "hypercorn --bind 127.0.0.1:PORT odd_apps:asgi_slots",
    "hypercorn --bind 127.0.0.1:PORT wsgi:odd_apps:wsgi_partial",
    "gunicorn --bind 127.0.0.1:PORT -k asgi odd_apps:asgi_partial",
    "gunicorn --bind 127.0.0.1:PORT -k uvicorn_worker.UvicornWorker odd_apps:asgi_slots",
    "gunicorn --bind 127.0.0.1:PORT -k aiohttp.GunicornWebWorker odd_apps:aiohttp_app",
    "gunicorn --bind 127.0.0.1:PORT -k aiohttp.GunicornWebWorker odd_apps:aiohttp_factory",
    "gunicorn --bind 127.0.0.1:PORT -k tornado odd_apps:tornado_app",
    "gunicorn --bind 127.0.0.1:PORT -k tornado odd_apps:wsgi_partial",
    "python -m wsgiref.simple_server",
]
# What depends on how fast the machine is: how much waitress has to do, and whether a thread of
# gunicorn's that may not write its socket says so before gunicorn ends.
BY_CHANCE = "Task queue depth|Control server error"
ANSWERS_WITHIN_S = 60
# A traceback shows who calls the application, which nobody can hide.
SPYS_FRAMES = r'.*  File "[^"]*/nomock_spy/.*\n(?:.*    .*\n)*'


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def seen(command):
    port = free_port()
    words = command.replace("PORT", str(port)).split()
    if words[0] == "python":
        make = "from wsgiref.simple_server import make_server as m; import odd_apps as o; "
        make += f"m('127.0.0.1', {port}, o.wsgi_slots).handle_request()"
        words = ["python", "-c", make]
    server = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    answer = answer_of(server, port)
    if words[0] != "python":  # which ends by itself, after it has logged the request
        server.send_signal(signal.SIGTERM)
    log = server.communicate(timeout=ANSWERS_WITHIN_S)[0]
    log = re.sub(SPYS_FRAMES, "", log)
    log = re.sub(r"\d{4}-\d\d-\d\d[ T][\d:.,+ ]+|0x\w+|\d+/\w+/\d+ [\d:]+", "", log)
    # Numbers are of processes and ports; the order is that of processes beside each other.
    told = (line for line in log.splitlines() if not re.search(BY_CHANCE, line))
    lines = sorted(re.sub(r"\d+", "N", line) for line in told)
    return [command, answer, server.returncode, lines]


def answer_of(server, port):
    pause = threading.Event()
    while server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_S)
        try:
            headers = {"baggage": "nomock.test=tests%2Ftest_a.py%3A%3Atest_b"}
            connection.request("GET", "/", headers=headers)
            reply = connection.getresponse()
            kept = {"content-length", "transfer-encoding", "content-type"}
            found = sorted((k.lower(), v) for k, v in reply.getheaders() if k.lower() in kept)
            return [reply.status, found, reply.read().decode()]
        except ConnectionRefusedError:
            pause.wait(0.05)
        except (OSError, http.client.HTTPException) as error:
            return [type(error).__name__]
        finally:
            connection.close()
    return ["it ended"]


with ThreadPoolExecutor(4) as pool:
    json.dump(list(pool.map(seen, COMMANDS)), sys.stdout)
