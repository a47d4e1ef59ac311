"""The lab's network: what a cut link does to those who use it, seen from both ends over real sockets."""

import asyncio
import itertools
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from holdfast.lab.relay import Listener, Relay, RelayConfig

HERE, THERE, OUTSIDE = "eu-west-1", "eu-central-1", "outside"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


# An address of this process's own: a port that is free here is not taken by anybody's outgoing connection a moment later.
OWN_ADDRESS = f"127.252.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
_ports = itertools.count(20000)


def free_port() -> int:
    return next(_ports)


class World:
    """An echo server at THERE and a relay before it, for callers at HERE."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.connections = 0
        self.ended: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while data := await reader.read(65536):
                self.received += data
                writer.write(data)
                await writer.drain()
            self.ended.append("finished")
            writer.write(b"bye")
        except ConnectionResetError:
            self.ended.append("reset")
        finally:
            writer.close()

    async def connect(self, source: str | None = None) -> Ends:
        local = (source, 0) if source else None
        ends = await asyncio.open_connection(OWN_ADDRESS, self.port, local_addr=local)
        self.writers.append(ends[1])
        return ends

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        target = self.server.sockets[0].getsockname()[1]
        self.port = free_port()
        listener = Listener(OWN_ADDRESS, self.port, "127.0.0.1", target, THERE)
        self.relay = Relay(RelayConfig((HERE, THERE, OUTSIDE), {"127.0.0.": HERE}, OUTSIDE, (listener,), "127.0.0.1", 0, "secret"))
        await self.relay.open_all()

    def cut(self) -> None:
        self.relay.links.cut(HERE, THERE)
        self.relay.links.cut(THERE, HERE)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    try:
        yield made
    finally:
        made.relay.close()
        made.server.close()
        for writer in made.writers:
            writer.close()
        await until(lambda: made.relay.status()["connections"] == 0)


def story(tell: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        async with world() as made:
            await asyncio.wait_for(tell(made), 20)

    asyncio.run(run())


async def echoed(ends: Ends, text: bytes) -> bytes:
    reader, writer = ends
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), 5)


async def silent(reader: asyncio.StreamReader, seconds: float = 0.15) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return True
    return False


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never came true"
        await asyncio.sleep(0.005)


def test_an_open_link_carries_bytes_both_ways_and_the_end_of_them() -> None:
    async def tell(world: World) -> None:
        ends = await world.connect()
        assert await echoed(ends, b"hello") == b"hello"
        ends[1].write_eof()
        assert await ends[0].read() == b"bye"
        assert world.ended == ["finished"]
        ends[1].close()
        await until(lambda: world.relay.status()["connections"] == 0)

    story(tell)


def test_a_cut_link_holds_the_bytes_of_an_old_connection_and_a_heal_frees_them() -> None:
    async def tell(world: World) -> None:
        ends = await world.connect()
        await echoed(ends, b"before")
        world.cut()
        ends[1].write(b"during")
        assert await silent(ends[0])
        assert bytes(world.received) == b"before"
        world.relay.links.heal()
        assert await asyncio.wait_for(ends[0].readexactly(6), 5) == b"during"

    story(tell)


def test_a_connection_opened_over_a_cut_link_succeeds_and_gets_no_answer_until_the_heal() -> None:
    async def tell(world: World) -> None:
        world.cut()
        reader, writer = await world.connect()
        writer.write(b"anybody?")
        assert await silent(reader)
        assert world.connections == 0
        world.relay.links.heal()
        assert await asyncio.wait_for(reader.readexactly(8), 5) == b"anybody?"

    story(tell)


def test_a_caller_that_gave_up_during_the_cut_leaves_no_trace_at_the_server() -> None:
    async def tell(world: World) -> None:
        world.cut()
        _, writer = await world.connect()
        writer.write(b"anybody?")
        await asyncio.sleep(0.05)
        writer.close()
        await until(lambda: world.relay.status()["connections"] == 0)
        world.relay.links.heal()
        await asyncio.sleep(0.1)
        assert world.connections == 0

    story(tell)


def test_what_was_sent_on_an_old_connection_arrives_after_the_heal_though_its_caller_left() -> None:
    async def tell(world: World) -> None:
        ends = await world.connect()
        await echoed(ends, b"before")
        world.cut()
        ends[1].write(b" and a commit")
        await asyncio.sleep(0.05)
        ends[1].close()
        await asyncio.sleep(0.05)
        assert world.ended == []
        world.relay.links.heal()
        await until(lambda: bytes(world.received) == b"before and a commit" and world.ended == ["finished"])

    story(tell)


@pytest.mark.parametrize(("origin", "destination", "reaches_server"), [(HERE, THERE, False), (THERE, HERE, True)])
def test_one_direction_can_be_cut_alone(origin: str, destination: str, reaches_server: bool) -> None:
    async def tell(world: World) -> None:
        ends = await world.connect()
        await echoed(ends, b"a")
        world.relay.links.cut(origin, destination)
        ends[1].write(b"b")
        assert await silent(ends[0])
        assert (bytes(world.received) == b"ab") is reaches_server
        world.relay.links.heal()
        assert await asyncio.wait_for(ends[0].readexactly(1), 5) == b"b"

    story(tell)


def test_no_connection_is_made_while_only_one_direction_is_open() -> None:
    async def tell(world: World) -> None:
        world.relay.links.cut(THERE, HERE)
        reader, writer = await world.connect()
        writer.write(b"x")
        assert await silent(reader)
        assert world.connections == 0
        writer.close()

    story(tell)


def test_a_reset_is_passed_on_and_waits_behind_a_cut() -> None:
    async def tell(world: World) -> None:
        ends = await world.connect()
        await echoed(ends, b"a")
        world.cut()
        ends[1].transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        ends[1].transport.abort()
        await asyncio.sleep(0.1)
        assert world.ended == []
        world.relay.links.heal()
        await until(lambda: world.ended == ["reset"])
        await until(lambda: world.relay.status()["connections"] == 0)

    story(tell)


def test_the_end_of_a_stream_for_a_caller_that_was_reset_unnoticed_harms_nobody() -> None:
    async def tell(world: World) -> None:
        ends, other = await world.connect(), await world.connect()
        await echoed(ends, b"a")
        await echoed(other, b"b")
        world.relay.links.cut(THERE, HERE)
        ends[1].write_eof()
        await until(lambda: world.ended == ["finished"])
        ends[1].transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        ends[1].transport.abort()
        await asyncio.sleep(0.05)
        world.relay.links.heal()
        assert await echoed(other, b"c") == b"c"
        await until(lambda: world.relay.status()["connections"] == 1)

    story(tell)


def test_a_server_that_nobody_runs_resets_the_caller() -> None:
    async def tell(world: World) -> None:
        world.server.close()
        await world.server.wait_closed()
        reader, _ = await world.connect()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), 5)
        await until(lambda: world.relay.status()["connections"] == 0)

    story(tell)


def test_a_late_link_delivers_late_in_order_and_asks_for_a_handshake() -> None:
    async def tell(world: World) -> None:
        world.relay.links.delay(HERE, THERE, 0.08)
        world.relay.links.delay(THERE, HERE, 0.02)
        begun = time.monotonic()
        ends = await world.connect()
        assert await echoed(ends, b"first") == b"first"
        first = time.monotonic() - begun
        begun = time.monotonic()
        ends[1].write(b"se")
        await asyncio.sleep(0.01)
        ends[1].write(b"cond")
        assert await asyncio.wait_for(ends[0].readexactly(6), 5) == b"second"
        assert first >= 0.19, "a handshake and a request each take a round trip"
        assert time.monotonic() - begun >= 0.1

    story(tell)


def test_the_callers_site_is_told_by_its_source_address() -> None:
    async def tell(world: World) -> None:
        world.cut()
        outsider = await world.connect("127.0.1.1")
        assert await echoed(outsider, b"hello") == b"hello"
        insider, _ = await world.connect("127.0.0.1")
        assert await silent(insider)

    story(tell)


def test_a_flood_over_a_cut_link_is_bounded_and_arrives_whole_after_the_heal() -> None:
    async def tell(world: World) -> None:
        reader, writer = await world.connect()
        await echoed((reader, writer), b"a")
        world.cut()
        size = 32 * 1024 * 1024
        writer.transport.set_write_buffer_limits(high=65536)
        writer.write(b"x" * size)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.3)
        world.relay.links.heal()
        got = 0
        while got < size:
            got += len(await asyncio.wait_for(reader.read(1 << 20), 10))
        assert got == size

    story(tell)


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(data.upper(), addr)


def test_datagrams_find_their_way_back_and_are_lost_at_a_cut() -> None:
    async def tell() -> None:
        loop = asyncio.get_running_loop()
        echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
        target = echo.get_extra_info("sockname")[1]
        port = free_port()
        listener = Listener(OWN_ADDRESS, port, "127.0.0.1", target, THERE, from_site=HERE, datagrams=True)
        relay = Relay(RelayConfig((HERE, THERE), {}, HERE, (listener,), "127.0.0.1", 0, "secret"))
        await relay.open_all()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.setblocking(False)
            caller.connect((OWN_ADDRESS, port))
            caller.send(b"question")
            assert await asyncio.wait_for(loop.sock_recv(caller, 100), 5) == b"QUESTION"
            relay.links.cut(THERE, HERE)
            caller.send(b"lost")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_recv(caller, 100), 0.2)
            relay.links.heal()
            caller.send(b"again")
            assert await asyncio.wait_for(loop.sock_recv(caller, 100), 5) == b"AGAIN"
        relay.close()
        echo.close()
        await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(tell(), 20))


def test_the_control_port_wants_the_token_and_names_what_it_does_not_know() -> None:
    async def tell(world: World) -> None:
        server = await asyncio.start_server(world.relay.serve_control, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def say(*lines: str) -> list[str]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write("".join(f"{line}\n" for line in lines).encode())
            writer.write_eof()
            answers = (await reader.read()).decode().splitlines()
            writer.close()
            await writer.wait_closed()
            return answers

        assert await say("guess", f"cut {HERE} {THERE}") == ["error wrong token"]
        assert world.relay.links.between(HERE, THERE).open
        answers = await say("secret", f"cut {HERE} {THERE}", "cut mars earth", "delay a", f"delay {HERE} {THERE} nan", f"cut {HERE} {HERE}")
        assert answers[0] == "ok"
        assert "no place is called 'mars'" in answers[1]
        assert "does not know the command" in answers[2]
        assert "between 0 and 60 seconds" in answers[3]
        assert "no link to itself" in answers[4]
        assert not world.relay.links.between(HERE, THERE).open
        server.close()

    story(tell)


def test_many_connections_at_once_come_through() -> None:
    async def tell(world: World) -> None:
        async def once(number: int) -> None:
            ends = await world.connect()
            text = f"call {number}".encode()
            assert await echoed(ends, text) == text
            ends[1].close()

        for _ in range(4):
            await asyncio.gather(*(once(number) for number in range(100)))
        await until(lambda: world.relay.status()["connections"] == 0)

    story(tell)
