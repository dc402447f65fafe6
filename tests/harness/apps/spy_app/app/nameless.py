"""Code whose file is none: no name, a folder, a pipe, a name with a null byte."""

import os


def code(text, name):
    return compile(text, name, "exec")


for name in ("", ".", "/", "/tmp", "/nowhere/at/all.py"):
    exec(code("x = 1\ny = 2", name))
reading, writing = os.pipe()
os.write(writing, b"for the service")
exec(code("x = 1", f"/dev/fd/{reading}"))
exec(code("x = 1", "x").replace(co_filename="a\0b"))
assert os.read(reading, 100) == b"for the service"
os.mkfifo("/tmp/pipe")
exec(code("x = 1", "/tmp/pipe"))
import shapes  # noqa: E402, F401
