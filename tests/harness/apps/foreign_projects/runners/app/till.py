from wsgiref.simple_server import make_server


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"till"]


if __name__ == "__main__":
    make_server("", 8000, app).serve_forever()
