"""Calls itself by what every Python has, for no test and for one; prints the baggage received."""

from __future__ import annotations

import http.client
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(", ".join(self.headers.get_all("baggage", ["none"])).encode())

    def log_message(self, *arguments: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}/"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask() -> None:
    print(opener.open(url).read().decode())
    print(opener.open(urllib.request.Request(url, headers={"bAggage": "a=1"})).read().decode())


ask()
sys.audit("nomock.context", "nomock.test=a.py%3A%3Ab")
ask()
connection = http.client.HTTPConnection(*server.server_address)
try:
    connection.endheaders()
except http.client.CannotSendHeader:
    connection.request("GET", "/")
    print(connection.getresponse().read().decode())
