"""The images of this machine, for stacks of benches that lie beside no `.env` of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

RESOLVED = Path(__file__).parent.parent / ".env"


def use_images() -> None:
    """Name the images that `just images` resolved, here and to what is started from here.

    The project's name, which is in the same file, is not taken: each stack of a bench has its own.
    """
    for line in RESOLVED.read_text().splitlines() if RESOLVED.exists() else ():
        name, _, value = line.partition("=")
        if name.endswith("_IMAGE"):
            os.environ.setdefault(name, value)


def image(name: str, elsewhere: str) -> str:
    """Return the image that a variable names here; ``elsewhere``: that of a registry."""
    use_images()
    return os.environ.get(name, elsewhere)


def python_image() -> str:
    """Return the image of Python 3.13 that this machine has."""
    return image("PYTHON_IMAGE", "python:3.13-slim")


def postgres_service(*, fsync: bool = True) -> dict[str, Any]:
    """Return a service of a PostgreSQL in memory; without ``fsync`` it waits for no disk."""
    return {
        "image": image("POSTGRES_IMAGE", "postgres:17"),
        "command": ["postgres"] if fsync else ["postgres", "-c", "fsync=off"],
        "environment": {"POSTGRES_PASSWORD": "secret"},
        "ports": ["127.0.0.1::5432"],
        "tmpfs": ["/var/lib/postgresql/data"],
        "healthcheck": {
            "test": ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "postgres"],
            "start_period": "60s",
            "start_interval": "200ms",
        },
    }
