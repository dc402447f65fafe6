"""A process that forks, as gunicorn does for its workers."""

import os


def in_child() -> None:
    os.getpid()  # child


def in_parent() -> None:
    os.getpid()  # parent


if (child := os.fork()) == 0:
    in_child()
    os._exit(0)
os.waitpid(child, 0)
in_parent()
