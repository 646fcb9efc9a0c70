# SPDX-License-Identifier: GPL-3.0-only
"""The host's side of a TAP device in net.test: sends back what it gets, on port 7000 at once, by TCP and UDP,
and on port 7001 when the other side has ended."""
import asyncio


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def echo_at_the_end(reader, writer):
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


async def main():
    await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, local_addr=("10.9.0.9", 7000))
    servers = [await asyncio.start_server(echo, "10.9.0.9", 7000),
               await asyncio.start_server(echo_at_the_end, "10.9.0.9", 7001)]
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main())
