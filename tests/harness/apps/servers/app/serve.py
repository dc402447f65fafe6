"""Serves a WSGI application by a server that is a library: serve.py cheroot wsgi_app:app."""

import sys
from importlib import import_module

kind, place = sys.argv[1:]
if kind == "gevent":
    from gevent import monkey

    monkey.patch_all()
module, _, name = place.partition(":")
app, address = getattr(import_module(module), name), ("0.0.0.0", 8000)
if kind == "cheroot":
    from cheroot.wsgi import Server

    server = Server(address, app, numthreads=40)
    server.prepare()
    print("serving")
    server.serve()
elif kind == "runserver":
    from django.core.management import execute_from_command_line

    execute_from_command_line(["", "runserver", "--noreload", "0.0.0.0:8000"])
elif kind == "wsgiref":
    from wsgiref.simple_server import make_server

    server = make_server(*address, app)
    print("serving")
    server.serve_forever()
else:
    from gevent.pywsgi import WSGIServer

    server = WSGIServer(address, app)
    server.start()
    print("serving")
    server.serve_forever()
