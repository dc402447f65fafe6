"""A log stream of the engine, and its frames."""

from __future__ import annotations

import struct


def demultiplexed(body: bytes, only: int | None = None) -> bytes:
    """Join the frames of a log stream, or those of one stream: 1 standard output, 2 error.

    A frame is a stream byte, three zeros, a length, the payload:
    https://docs.docker.com/reference/api/engine/version/v1.44/#tag/Container/operation/ContainerAttach
    """
    parts, at = [], 0
    while at + 8 <= len(body):
        stream, length = struct.unpack(">BxxxL", body[at : at + 8])
        if only is None or stream == only:
            parts.append(body[at + 8 : at + 8 + length])
        at += 8 + length
    return b"".join(parts)
