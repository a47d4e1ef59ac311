"""The small HTTP client: one deadline, and it knows silence from refusal from a broken promise."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from holdfast.providers.http.client import Connection, NotSentError, Response, request

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(reply: Reply) -> AsyncIterator[int]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await reply(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client left
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def saying(raw: bytes) -> Reply:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return reply


async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def closing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def ask(reply: Reply, timeout_seconds: float = 1.0, source_address: str | None = None) -> Response:
    async def story() -> Response:
        async with server(reply) as port:
            return await request(
                "GET", "127.0.0.1", port, "/", host_header="x", timeout_seconds=timeout_seconds, source_address=source_address
            )

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Kind: a\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 200 OK\r\nx-kind: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n", b"hi!"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-kind: a\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
def test_a_whole_answer_is_an_answer(raw: bytes, body: bytes) -> None:
    answer = ask(saying(raw))
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, body, "a")
    assert 0 < answer.latency_seconds < 1


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", b"HTTP/1.1 200 OK\r\ncontent-le"])
def test_silence_ends_at_the_deadline_wherever_it_begins(raw: bytes) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await silent(reader, writer)

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        ask(half, timeout_seconds=0.2)
    assert time.monotonic() - started < 0.6


def test_a_refused_connection_sent_nothing_and_a_broken_one_may_have() -> None:
    with pytest.raises(NotSentError, match="cannot connect"):
        asyncio.run(request("GET", "127.0.0.1", 1, "/", host_header="x", timeout_seconds=1))
    with pytest.raises(ConnectionError, match="without an answer") as caught:
        ask(closing)
    assert not isinstance(caught.value, NotSentError)
    with pytest.raises(ConnectionError):
        ask(saying(b"220 mail.example ESMTP\r\n\r\n"))


def test_calls_come_from_the_address_that_they_should() -> None:
    async def who(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = writer.get_extra_info("peername")[0].encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(caller), caller))

    assert ask(who, source_address="127.9.8.7").body == b"127.9.8.7"


def test_a_connection_is_used_again_until_one_side_ends_it() -> None:
    async def story() -> None:
        async with server(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")) as port:
            async with await Connection.open("127.0.0.1", port, timeout_seconds=1) as connection:
                for _ in range(3):
                    assert connection.reusable
                    assert (await connection.exchange("GET", "/", host_header="x", timeout_seconds=1)).status == 200
        async with server(saying(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")) as port:
            connection = await Connection.open("127.0.0.1", port, timeout_seconds=1)
            assert (await connection.exchange("GET", "/", host_header="x", timeout_seconds=1)).status == 200
            assert not connection.reusable

    asyncio.run(story())
