"""Healthcheck: exit with 0 when GET /health on 127.0.0.1:<port> answers 200.

Run as `python3 -I -S health.py 8000`: nothing but the interpreter and a socket, since the engine
starts it often while a service comes up. It waits as long as the engine lets it, which is the
`timeout` of the healthcheck.
"""

import socket
import sys

REQUEST = b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"


def healthy(port: int) -> bool:
    """Return whether the service on `port` answers 200."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(REQUEST)
            status_line = sock.makefile("rb").readline()
    except OSError:
        return False
    return status_line.split()[1:2] == [b"200"]


if __name__ == "__main__":
    sys.exit(0 if healthy(int(sys.argv[1])) else 1)
