"""Sends one request again and again, for two tests and for none; prints the baggage each time."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable

import heads
import httpcore
import httpx
import requests

here = heads.listening()
client = httpx.Client(trust_env=False)
pool = httpcore.ConnectionPool()
session = requests.Session()
session.trust_env = False

of_httpx = httpx.Request("GET", here + "/path")
of_httpcore = httpcore.Request("GET", here + "/path", headers={"Host": "here"})
of_requests = requests.Request("GET", here + "/path").prepare()
of_urllib = urllib.request.Request(here + "/path")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

SEND: dict[str, Callable[[], object]] = {
    "httpx": lambda: client.send(of_httpx).read(),
    "httpcore": lambda: pool.handle_request(of_httpcore).close(),
    "requests": lambda: session.send(of_requests).content,
    "urllib": lambda: opener.open(of_urllib).read(),
}
TESTS = ("nomock.test=a.py%3A%3Aone", "nomock.test=a.py%3A%3Atwo", "")

found = {}
for way, send in SEND.items():
    found[way] = []
    for test in TESTS:
        heads.heads.clear()
        sys.audit("nomock.context", test)
        send()
        sys.audit("nomock.context", "")
        (head,) = heads.heads
        found[way].append("".join(line for line in head if line.startswith("baggage")))
seen = [of_httpx.headers, dict(of_httpcore.headers), of_requests.headers, of_urllib.headers]
assert not any("baggage" in str(headers).lower() for headers in seen)
json.dump(found, sys.stdout)
