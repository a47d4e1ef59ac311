"""A small HTTP/1.1 client for probes and the lab's clients: asyncio streams, h11, a source address and one deadline.

Rules: a call ends within its time-out, whatever the other side does; silence raises TimeoutError, a refused or broken
connection ConnectionError; a connection that was not ended cleanly is aborted, never lingered over.
It never follows redirects, never retries, never resolves names other than by what it is given, never reads proxies from the environment.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import h11

_READ_BYTES = 65536
_BODY_LIMIT_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. Header names are lower case; `latency_seconds` counts from before the connect, if there was one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    latency_seconds: float


class NotSentError(ConnectionError):
    """The connection was refused or unreachable: not one byte of the request left, so nothing can have happened."""


class Connection:
    """One connection that requests follow each other on. Not to be used by two tasks at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        timeout_seconds: float,
        source_address: str | None = None,
        tls: ssl.SSLContext | None = None,
        tls_name: str | None = None,
    ) -> "Connection":
        """Connect, with `tls` under a certificate for `tls_name`.

        Raises TimeoutError for silence and NotSentError when the other side, or the way to it, said no.
        """
        local = (source_address, 0) if source_address else None
        try:
            async with asyncio.timeout(timeout_seconds):
                reader, writer = await asyncio.open_connection(
                    host, port, local_addr=local, ssl=tls, server_hostname=tls_name if tls else None
                )
        except TimeoutError:
            raise TimeoutError(f"no connection to {host}:{port} within {timeout_seconds:g} s") from None
        except OSError as error:
            reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.strerror or error
            raise NotSentError(f"cannot connect to {host}:{port}: {reason}") from error
        return cls(reader, writer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.drop()

    def drop(self) -> None:
        """Let go at once: unsent bytes are thrown away, and nobody waits for the other side."""
        self._writer.transport.abort()

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on this connection, as far as this side can know."""
        return (
            self._protocol.our_state is h11.IDLE
            and self._protocol.their_state is h11.IDLE
            and not self._reader.at_eof()
            and not self._writer.is_closing()
        )

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        host_header: str,
        timeout_seconds: float,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        body_limit_bytes: int = _BODY_LIMIT_BYTES,
    ) -> Response:
        """One request and its whole answer, of at most so many bytes. Whatever goes wrong, the connection is dropped."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                self._send(method, path, host_header, body, headers or {})
                response = await self._receive(started, body_limit_bytes)
        except TimeoutError:
            self.drop()
            raise TimeoutError(f"no answer to {method} {path} within {timeout_seconds:g} s") from None
        except (OSError, h11.ProtocolError, EOFError) as error:
            self.drop()
            raise ConnectionError(f"the connection broke during {method} {path}: {error}") from error
        except asyncio.CancelledError:
            self.drop()
            raise
        if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
            self._protocol.start_next_cycle()
        else:
            self.drop()
        return response

    def _send(self, method: str, path: str, host_header: str, body: bytes, headers: Mapping[str, str]) -> None:
        lines = [("host", host_header), ("content-length", str(len(body)))]
        if body and "content-type" not in headers:
            lines.append(("content-type", "application/json"))
        lines.extend(headers.items())
        out = self._protocol.send(h11.Request(method=method, target=path, headers=lines)) or b""
        if body:
            out += self._protocol.send(h11.Data(data=body)) or b""
        out += self._protocol.send(h11.EndOfMessage()) or b""
        self._writer.write(out)

    async def _receive(self, started: float, body_limit_bytes: int) -> Response:
        status, headers, parts, size = 0, {}, [], 0
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(_READ_BYTES)
                if not data and self._protocol.their_state is h11.SEND_RESPONSE and not status:
                    raise EOFError("the other side closed it without an answer")
                self._protocol.receive_data(data)
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > body_limit_bytes:
                    raise EOFError(f"the answer is longer than {body_limit_bytes} bytes")
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return Response(status, headers, b"".join(parts), time.monotonic() - started)
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError("the other side closed it without an answer")


async def request(
    method: str,
    host: str,
    port: int,
    path: str,
    *,
    host_header: str,
    timeout_seconds: float,
    body: bytes = b"",
    source_address: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One request on a connection of its own. Raises TimeoutError (silence), NotSentError or another ConnectionError."""
    started = time.monotonic()
    connection = await Connection.open(host, port, timeout_seconds=timeout_seconds, source_address=source_address)
    async with connection:
        left = max(0.001, timeout_seconds - (time.monotonic() - started))
        sent_headers = {"connection": "close", **(headers or {})}
        answer = await connection.exchange(method, path, host_header=host_header, timeout_seconds=left, body=body, headers=sent_headers)
    return Response(answer.status, answer.headers, answer.body, time.monotonic() - started)
