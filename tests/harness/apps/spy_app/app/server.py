"""A server with two paths."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def cat() -> bytes:
    return b"cat"  # only on /cat


def dog() -> bytes:
    return b"dog"  # only on /dog


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = cat() if self.path == "/cat" else dog()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
    print("ready", flush=True)
    server.serve_forever()
