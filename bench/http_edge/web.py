"""Answers each request, whose body has a length, with 60 bytes of JSON."""

import asyncio

BODY = b'{"active": true, "scope": "instances:read instances:write"} \n'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
) + BODY


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = head.lower().partition(b"content-length:")[2].split()
            await reader.readexactly(int(length[0]) if length else 0)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    async with await asyncio.start_server(serve, "0.0.0.0", 8000) as server:
        await server.serve_forever()


asyncio.run(main())
