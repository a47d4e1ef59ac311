"""Handing requests over HTTP: connections that last, what is known when one breaks, and addresses that stay secret."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from holdfast.ports.notifier import RefusedNotificationError
from holdfast.ports.post import accepted
from holdfast.providers.http.post import HttpPost

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


class Server:
    """A web server by hand. `answer` gets each whole request."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = asyncio.Semaphore(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                self.requests.append(head + await reader.readexactly(length))
                await self._answer(reader, writer, self.requests[-1])
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.ended.release()


@asynccontextmanager
async def serving(answer: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Server, str]]:
    made = Server(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield made, f"{'https://localhost' if tls else 'http://127.0.0.1'}:{port}"
    finally:
        server.close()


async def yes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nRetry-After: 3\r\n\r\nok")


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    raise ConnectionResetError


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    await asyncio.sleep(5)


async def dribbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99000000\r\n\r\n")
    for _ in range(99):
        writer.write(b"x" * 1_000_000)
        await writer.drain()


async def sends_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")


async def talks_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(b"220 mail.example.org ESMTP\r\n\r\n")


def test_one_connection_serves_one_request_after_the_other_and_several_at_once_get_their_own() -> None:
    async def story() -> None:
        async with serving(yes) as (server, url):
            post = HttpPost()
            for _ in range(10):
                answer = await post(f"{url}/a?b=c", {"x-one": "Grüße".encode().hex()}, b"body")
            assert (answer.status, answer.body, answer.headers["retry-after"], server.connections) == (200, b"ok", "3", 1)
            await asyncio.gather(*(post(url, {}, b"") for _ in range(5)))
            assert server.connections <= 5
            await post.close()
            assert server.requests[0].startswith(b"POST /a?b=c HTTP/1.1\r\n") and server.requests[0].endswith(b"\r\n\r\nbody")

    asyncio.run(story())


@pytest.mark.parametrize("answer", [hangs_up, is_silent, dribbles, floods, talks_nonsense])
def test_whatever_goes_wrong_after_the_request_left_is_unknown_and_within_the_time(answer: Answering) -> None:
    async def story() -> None:
        async with serving(answer) as (server, url):
            post = HttpPost(0.5)
            begun = asyncio.get_running_loop().time()
            with pytest.raises(TimeoutError, match="whether the message was taken") as said:
                await post(f"{url}/secret-path", {}, b"x")
            assert asyncio.get_running_loop().time() - begun < 2.0
            assert "secret-path" not in str(said.value) and "127.0.0.1" not in str(said.value)
            assert len(server.requests) == 1, "a request leaves once"
            await post.close()

    asyncio.run(story())


def test_an_idle_connection_that_the_far_end_closed_is_not_used_again() -> None:
    async def story() -> None:
        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
            await yes(reader, writer, request)
            await writer.drain()
            raise ConnectionResetError  # without having said that it would

        async with serving(once) as (server, url):
            post = HttpPost(1.0)
            for number in range(1, 4):
                assert (await post(url, {}, b"x")).status == 200
                async with asyncio.timeout(5.0):
                    await server.ended.acquire()
                await asyncio.sleep(0)  # its end has been sent: the loop's next look at its sockets finds it
                assert server.connections == number
            await post.close()

    asyncio.run(story())


def test_a_way_elsewhere_is_not_followed() -> None:
    async def story() -> None:
        async with serving(sends_away) as (_, url):
            post = HttpPost()
            with pytest.raises(RefusedNotificationError, match="302"):
                accepted("it", await post(url, {}, b""))
            await post.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://secret.example/",
        "http://",
        "http://secret.example:99999/",
        "http://secret.example/a b",
        "http://secret.example/a\r\nX: y",
    ],
)
def test_what_is_no_address_is_said_without_it(url: str) -> None:
    with pytest.raises(ConnectionError, match="Nothing was sent") as said:
        asyncio.run(HttpPost(0.5)(url, {}, b""))
    assert "secret" not in str(said.value).replace("its secret or binding", "")


def test_a_secret_that_would_add_a_header_is_not_sent() -> None:
    async def story() -> None:
        async with serving(yes) as (server, url):
            with pytest.raises(ConnectionError, match="correct the channel's secret"):
                await HttpPost()(url, {"authorization": "Bearer x\r\nX-Other: y"}, b"")
            assert server.requests == []

    asyncio.run(story())


def test_a_login_in_the_address_becomes_a_header() -> None:
    async def story() -> None:
        async with serving(yes) as (server, url):
            post = HttpPost()
            await post(url.replace("http://", "http://us%40er:pa%3Ass@"), {}, b"")
            assert b"Basic " + base64.b64encode(b"us@er:pa:ss") in server.requests[0]
            await post.close()

    asyncio.run(story())


def test_a_certificate_is_checked_before_a_byte_of_the_request_leaves() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    async def story() -> None:
        async with serving(yes, context) as (server, url):
            with pytest.raises(ConnectionError, match=r"certificate is not trusted.*nothing was sent"):
                await HttpPost(2.0)(url, {}, b"secret")
            trusting = ssl.create_default_context()
            authority.configure_trust(trusting)
            post = HttpPost(2.0, trusting)
            assert (await post(url, {}, b"secret")).status == 200
            assert len(server.requests) == 1
            await post.close()

    asyncio.run(story())


def test_nobody_there_is_known_to_have_taken_nothing() -> None:
    async def story() -> None:
        async with serving(yes) as (_, url):
            pass
        with pytest.raises(ConnectionError, match=r"refused.*nothing was sent") as said:
            await HttpPost(1.0)(url, {}, b"")
        assert "127.0.0.1" not in str(said.value)

    asyncio.run(story())
