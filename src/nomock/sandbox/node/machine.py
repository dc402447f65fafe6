"""Whether the engine's machine can have a local node; each refusal says what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

from nomock.adapters.engine import Engine
from nomock.errors import EngineError
from nomock.lanes.room import free_bytes

# The node alone takes 0.6 GiB of memory, and its images and etcd 1 GiB of disk; a sandbox comes
# on top of it.
LEAST_MEMORY_BYTES = 1 << 30
LEAST_DISK_BYTES = 3 << 30


def check_engine(engine: Engine) -> None:
    """Raise EngineError where a local node cannot run on this engine, or not be reached."""
    if engine.locator.elsewhere:
        raise _refusal(
            engine,
            "it is on another machine, and the local node is reached on its loopback only",
            "choose an engine on this machine (DOCKER_HOST, docker context use)",
        )
    if engine.machine().is_rootless:
        raise _refusal(
            engine,
            "it runs without root's rights (rootless), and kubelet needs a privileged container",
            "choose an engine that runs as root (docker context use)",
        )


def check_room(engine: Engine) -> None:
    """Raise EngineError where the engine's machine has no room for a local node."""
    machine = engine.machine()
    free = free_bytes(machine.memory_bytes)
    if free < LEAST_MEMORY_BYTES:
        raise _refusal(
            engine,
            f"{_gib(free)} of memory are free, and it takes {_gib(LEAST_MEMORY_BYTES)}",
            "end what you do not need: nomock down takes this folder's stack down",
        )
    data = Path(machine.data_folder or "/")
    # In a virtual machine, as Docker Desktop's, the folder is not seen from here.
    if data.exists() and (left := shutil.disk_usage(data).free) < LEAST_DISK_BYTES:
        raise _refusal(
            engine,
            f"{_gib(left)} are free in {data}, and it takes {_gib(LEAST_DISK_BYTES)}",
            "free some space: docker system df shows what the engine holds",
        )


def _refusal(engine: Engine, why: str, todo: str) -> EngineError:
    return EngineError(
        f"a local node cannot run on this engine: {why}",
        where=f"engine at {engine.address}",
        todo=f"{todo}; or name a cluster that you have: --context",
    )


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):.1f} GiB"
