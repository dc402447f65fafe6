import os, tempfile, types
import settings, version
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RULES = "def price(n):\n    if n > 10:\n        return n * 9\n    return n * 10\n"
rules = types.ModuleType("rules")
exec(compile(RULES, "rules.py", "exec"), rules.__dict__)          # from a database, say
exec(compile("pass", "Expression: x > 1", "exec"))
folder = tempfile.mkdtemp()
open(folder + "/made.py", "w").write("X = 1\n")
import sys; sys.path.insert(0, folder); import made                # as Mako and Chameleon do


class Till(BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(rules.price(11)).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("0.0.0.0", 8000), Till).serve_forever()
