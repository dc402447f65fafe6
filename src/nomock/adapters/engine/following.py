"""What a container logs, line by line as it comes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from nomock.adapters.engine.transport import Transport

_HEADER = struct.Struct(">BxxxL")


class Following(Transport):
    """Listens to containers."""

    def follow_logs(self, container_id: str, *, since_s: float) -> Iterator[str]:
        """Yield each line behind its RFC 3339 time stamp, until the container ends.

        ``since_s`` is in seconds since the epoch. It blocks while nothing is logged; raises
        EngineError.
        """
        query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1"}
        query["since"] = f"{since_s:.9f}"
        path = f"/containers/{container_id}/logs"
        with self._request("GET", path, query, timeout_s=None) as response:
            if response.status >= 400:
                return
            if response.headers.get_content_type() == "application/vnd.docker.raw-stream":
                while line := response.readline():  # of a terminal, without frames
                    yield line.decode(errors="replace").rstrip("\r\n")
            while len(header := response.read(_HEADER.size)) == _HEADER.size:
                _, length = _HEADER.unpack(header)
                yield response.read(length).decode(errors="replace").rstrip("\n")
