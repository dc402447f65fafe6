import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Till(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/broken":
            print("till: drawer is stuck", flush=True)
            self.send_response(500)
            self.end_headers()
            return
        body = ("till " + os.environ.get("SHOP", "corner")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(
        (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000"))), Till
    ).serve_forever()
