"""What a program sees of Python's own: it prints the same with the spy as without it."""

import _thread
import concurrent.futures.process
import concurrent.futures.thread
import http.client
import importlib.util
import inspect
import multiprocessing.pool
import multiprocessing.queues
import multiprocessing.util
import os
import pickle
import queue
import subprocess
import sys
import threading
import types
import wsgiref.simple_server

FUNCTIONS = {
    "os": (os, ["execve", "posix_spawn", "posix_spawnp", "_exit"]),
    "_thread": (_thread, ["start_new_thread", "start_new"]),
    "threading": (
        threading,
        ["_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread"],
    ),
    "Thread": (threading.Thread, ["start"]),
    "Popen": (subprocess.Popen, ["__init__", "_execute_child"]),
    "spawn": (multiprocessing.util, ["spawnv_passfds"]),
    "HTTPConnection": (http.client.HTTPConnection, ["endheaders"]),
    "ThreadPoolExecutor": (
        concurrent.futures.thread.ThreadPoolExecutor,
        ["_adjust_thread_count", "submit"],
    ),
    "concurrent.futures.process": (concurrent.futures.process, ["_process_worker"]),
    "ProcessPoolExecutor": (
        concurrent.futures.process.ProcessPoolExecutor,
        ["_start_executor_manager_thread", "_adjust_process_count", "submit"],
    ),
    "_ExecutorManagerThread": (
        concurrent.futures.process._ExecutorManagerThread,
        ["__init__", "process_result_item"],
    ),
    "multiprocessing.pool": (multiprocessing.pool, ["worker"]),
    "Pool": (
        multiprocessing.pool.Pool,
        ["__init__", "_guarded_task_generation", "_handle_tasks", "_handle_results"],
    ),
    "ApplyResult": (multiprocessing.pool.ApplyResult, ["__init__", "_set"]),
    "multiprocessing.Queue": (multiprocessing.queues.Queue, ["_start_thread"]),
    "Queue": (queue.Queue, ["put", "get"]),
    "_WorkItem": (concurrent.futures.thread._WorkItem, ["__init__", "run"]),
    "WSGIServer": (wsgiref.simple_server.WSGIServer, ["set_app"]),
}


def signature(function):
    try:
        return str(inspect.signature(function))
    except ValueError as error:
        return f"none: {type(error)}"


for title, (owner, names) in FUNCTIONS.items():
    for name in names:
        function = getattr(owner, name)
        print(title, name, function.__class__, function.__name__, function.__qualname__)
        print("  ", function.__module__, len(function.__doc__ or ""))
        print("  ", signature(function), inspect.isbuiltin(function), inspect.isfunction(function))
        print("  ", isinstance(function, (types.BuiltinFunctionType, types.FunctionType)))
        print("  ", type(vars(owner)[name]))
        # A builtin is no method where it is found in a class.
        print("  ", inspect.ismethod(type("Own", (), {"function": function})().function))
        print("  ", type(pickle.loads(pickle.dumps(function))), callable(function), bool(function))
print(os.execve in os.supports_fd, os.execve == os.execve, {os.execve: 1}[os.execve])

# A service's own dictionary, and its own environment, are its own.
environ = {**os.environ, "NOMOCK_SPY_OUT": "/tmp", "PYTHONPATH": "/elsewhere"}
before = dict(environ)
subprocess.run([sys.executable, "-c", "pass"], env=environ, check=True)
print(environ == before)
os.environ["PYTHONPATH"] = "/elsewhere"
subprocess.run([sys.executable, "-c", "pass"], check=True)
print(os.environ["PYTHONPATH"])

for module in (threading, subprocess, http.client):
    print(module.__loader__.exec_module.__class__, "exec_module" in vars(module.__loader__))
    print(type(importlib.util.find_spec(module.__name__).loader))

# What a worker gets, and what a service finds in a queue, are what was given.
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply(type, ((1,),)), pool.map(abs, [-1]), list(pool.imap(abs, [-1])))
items = queue.PriorityQueue()
items.put(2)
items.put(1)
print(items.queue, items.get(), items.get_nowait())


class Slotted(threading.Thread):
    """One that lets nobody set anything, and looks at itself."""

    def run(self):
        print(self.run.__func__ is Slotted.run, inspect.signature(self.run), "run" in vars(self))


thread = Slotted()
thread.start()
thread.join()


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


server = wsgiref.simple_server.WSGIServer(
    ("127.0.0.1", 0), wsgiref.simple_server.WSGIRequestHandler, bind_and_activate=False
)
server.set_app(app)
found = server.get_app()
print(found == app, hash(found) == hash(app), found.__class__, inspect.signature(found))
server.server_close()
