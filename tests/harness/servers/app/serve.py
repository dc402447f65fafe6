"""Serves a WSGI application by a server that is a library: serve.py cheroot wsgi_app:app."""

import sys
from importlib import import_module

kind, place = sys.argv[1:]
module, _, name = place.partition(":")
app, address = getattr(import_module(module), name), ("0.0.0.0", 8000)
if kind == "cheroot":
    from cheroot.wsgi import Server

    server = Server(address, app)
    server.prepare()
    print("serving")
    server.serve()
else:
    from gevent.pywsgi import WSGIServer

    server = WSGIServer(address, app)
    server.start()
    print("serving")
    server.serve_forever()
