"""An instance, run as `python3 -m worker.instance` in a pod of its own: it answers on port 8000."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8000


class Handler(BaseHTTPRequestHandler):
    """Answers everybody with what this instance is."""

    def do_GET(self) -> None:
        """Tell the instance's id, size and pod."""
        told = {name: os.environ[name] for name in ("INSTANCE_ID", "INSTANCE_SIZE", "HOSTNAME")}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: probes ask every few seconds."""


def main() -> int:
    """Serve until the process is told to stop."""
    # As PID 1 the process has no default handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", PORT), Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
