# Stands for nginx: passes each request on to one of the replicas.
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen


class Front(BaseHTTPRequestHandler):
    def do_GET(self):
        with urlopen("http://till:8000" + self.path) as reply:
            self.send_response(reply.status)
            self.end_headers()
            shutil.copyfileobj(reply, self.wfile)


ThreadingHTTPServer(("0.0.0.0", 80), Front).serve_forever()
