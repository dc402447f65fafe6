import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen


class Web(BaseHTTPRequestHandler):
    def do_GET(self):
        with urlopen(os.environ["API_URL"]) as answer:
            self.send_response(answer.status)
        self.end_headers()


ThreadingHTTPServer(("", 8000), Web).serve_forever()
