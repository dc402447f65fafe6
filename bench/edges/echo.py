"""Sends back what it gets."""

import asyncio


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "0.0.0.0", 7000)
    await server.serve_forever()


asyncio.run(main())
