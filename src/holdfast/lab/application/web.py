"""A small HTTP/1.1 server for the lab's own services: asyncio streams and h11, JSON in and out.

Rules: a request is answered or its connection closed; bodies are bounded; a handler's own fault is told as 500 with its kind and
written to the log in full. While it stops, it finishes what is in hand, says `connection: close`, and takes nothing new.
"""

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import h11

BODY_LIMIT_BYTES = 1024 * 1024
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Header names are lower case; `path` is without the query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: a status and a JSON value, or text."""

    status: int
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Awaitable[Reply]]


class BadBodyError(ValueError):
    """A body that is no JSON object."""


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises BadBodyError with a sentence for the caller."""
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise BadBodyError(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadBodyError(f"the body must be a JSON object, not {type(value).__name__}")
    return value


class Server:
    """Serves one handler on one address."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.StreamWriter] = set()
        self._stopping = False

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the address is taken."""
        self._server = await asyncio.start_server(self._connected, host, port, backlog=256)

    async def stop(self, within_seconds: float) -> None:
        """Take nothing new, let what is in hand finish for so long, then drop it."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._idle):
            writer.transport.abort()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=within_seconds)
            for task in late:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the caller left, or spoke something else than HTTP: there is nobody to tell
        finally:
            self._connections.discard(task)
            self._idle.discard(writer)
            writer.transport.abort() if writer.transport.get_write_buffer_size() == 0 else writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=BODY_LIMIT_BYTES)
        while not self._stopping:
            self._idle.add(writer)
            call = await _read_call(protocol, reader, writer, self._idle)
            if call is None:
                return
            reply = await self._answer(call)
            await self._send(protocol, writer, reply)
            if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
                return
            protocol.start_next_cycle()

    async def _answer(self, call: Call) -> Reply:
        try:
            return await self._handler(call)
        except BadBodyError as error:
            return Reply(400, {"error": str(error)})
        except Exception as error:  # the edge of the server: one bad request must not end the others, and its fault is written down
            traceback.print_exc()
            return Reply(500, {"error": f"{type(error).__name__}: {error}", "outcome": "unknown"})

    async def _send(self, protocol: h11.Connection, writer: asyncio.StreamWriter, reply: Reply) -> None:
        text = isinstance(reply.value, str)
        body = reply.value.encode() if text else json.dumps(reply.value, separators=(",", ":")).encode()
        headers = {
            "content-type": "text/plain; charset=utf-8" if text else "application/json",
            "content-length": str(len(body)),
            **({"connection": "close"} if self._stopping else {}),
            **reply.headers,
        }
        reason = HTTPStatus(reply.status).phrase
        out = protocol.send(h11.Response(status_code=reply.status, headers=list(headers.items()), reason=reason)) or b""
        out += protocol.send(h11.Data(data=body)) or b""
        out += protocol.send(h11.EndOfMessage()) or b""
        writer.write(out)
        await writer.drain()


async def _read_call(
    protocol: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: set[asyncio.StreamWriter]
) -> Call | None:
    head: h11.Request | None = None
    parts: list[bytes] = []
    size = 0
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            if protocol.they_are_waiting_for_100_continue:
                writer.write(protocol.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            data = await reader.read(_READ_BYTES)
            idle.discard(writer)
            protocol.receive_data(data)
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            size += len(event.data)
            if size > BODY_LIMIT_BYTES:
                return None
            parts.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            path, _, query = head.target.decode("latin-1").partition("?")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return Call(head.method.decode("ascii"), path, query, headers, b"".join(parts))
        else:
            return None
