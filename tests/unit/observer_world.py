"""Small real servers on loopback for an observer to look at: DNS over UDP and TCP, HTTP, and one that never answers."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.message
import dns.rcode
import dns.rrset

from free_ports import free_port
from holdfast.lab.application.web import Call, Reply, Server


@dataclass
class Names(asyncio.DatagramProtocol):
    """A DNS server that knows a few addresses and counts what it is asked."""

    addresses: dict[str, str]
    ttl: int = 0
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)  # of that kind in all but its class

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.silent and self.transport is not None:
            self.transport.sendto(self.answer(data), addr)

    def answer(self, data: bytes) -> bytes:
        question = dns.message.from_wire(data)
        name = question.question[0].name
        self.asked.append(name.to_text(omit_final_dot=True))
        reply = dns.message.make_response(question)
        address = self.addresses.get(self.asked[-1])
        if address is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        else:
            reply.answer.append(dns.rrset.from_text(name, self.ttl, "IN", "A", address))
        return reply.to_wire()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        wire = self.answer(await reader.readexactly(size))
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def dns_server(names: Names) -> AsyncIterator[int]:
    """Serve names over UDP and TCP; yields the port."""
    port = free_port(kind=socket.SOCK_DGRAM)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: names, local_addr=("127.0.0.1", port))
    server = await asyncio.start_server(names.converse, "127.0.0.1", port)
    try:
        yield port
    finally:
        server.close()
        transport.close()


@asynccontextmanager
async def http_server(answer: Callable[[Call], Reply]) -> AsyncIterator[int]:
    """Serve one answer over HTTP; yields the port."""

    async def handle(call: Call) -> Reply:
        return answer(call)

    port, server = free_port(), Server(handle)
    await server.start("127.0.0.1", port)
    try:
        yield port
    finally:
        await server.stop(within_seconds=0.1)


@asynccontextmanager
async def mute_server() -> AsyncIterator[int]:
    """Takes connections and bytes, and answers nothing, as a cut link does."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def request_of(call: Call) -> str:
    return str(json.loads(call.body)["request"])
