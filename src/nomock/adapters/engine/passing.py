"""Refusals of the engine that pass by themselves: what was asked is worth being asked again."""

from __future__ import annotations

_PASSING = {
    500: (
        # runc gives up to freeze a cgroup (v1) whose processes do not come to rest in time, as on
        # a busy machine: https://github.com/moby/moby/issues/48205
        "unable to freeze",
        # The engine waited in vain for containerd, or that for a shim:
        # https://github.com/containerd/containerd/issues/6080
        "context deadline exceeded",
        # The container was killed, and nobody told the engine in time that it ended:
        # https://github.com/moby/moby/pull/41580
        "did not receive an exit event",
        # The kernel has not let a mount or a cgroup of a container go yet, which has just ended.
        "device or resource busy",
    ),
    # Somebody else does something to it just now; both texts are of moby's daemon/errors.go and
    # daemon/delete.go: https://github.com/moby/moby/pull/9583
    409: ("is restarting, wait until the container is running", "is already in progress"),
}


def passes(status: int, said: str) -> bool:
    """Tell whether an answer is such a refusal."""
    return any(words in said for words in _PASSING.get(status, ()))
