"""A service that sends the spans that a request asks for, by OTLP as JSON, and nothing by itself.

The body is a list of spans: `id`, `name`, `kind` as its number, `parent` (an id; absent: the span
of the request), and what else OTLP has, as it has it. `service`, `after_s` and `trace` are ours:
whose span it is, how long after the answer it is sent, and the id of another trace.
"""

import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer()

    def do_POST(self):
        spans = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _, trace_id, parent_id, _ = self.headers.get("traceparent", "-0-0-").split("-")
        for number, span in enumerate(spans):
            made = {
                "traceId": span.pop("trace", trace_id),
                "spanId": span.pop("id", f"{number + 1:016x}"),
                "parentSpanId": span.pop("parent", parent_id),
                "kind": 1,
                "startTimeUnixNano": str(time.time_ns() + number),
                "endTimeUnixNano": str(time.time_ns() + number + 1000),
            }
            service, after_s = span.pop("service", "app"), span.pop("after_s", 0)
            threading.Timer(after_s, send, [service, made | span]).start()
        self._answer()

    def _answer(self):
        body = json.dumps({"traceparent": self.headers.get("traceparent", "")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def send(service, span):
    named = {"key": "service.name", "value": {"stringValue": service}}
    spans = {"resource": {"attributes": [named]}, "scopeSpans": [{"spans": [span]}]}
    request = urllib.request.Request(
        "http://jaeger:4318/v1/traces",
        json.dumps({"resourceSpans": [spans]}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).read()


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
