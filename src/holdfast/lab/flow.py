"""One relayed TCP connection: two directions, each behind its own link, each with a bounded queue.

A cut link accepts, holds the bytes and answers nothing, for connections opened before and after the cut alike. The onward
connection is made only while both directions are open, as a handshake would need; a caller that gives up before that leaves
no trace at the server. Ends of streams and resets travel like bytes: in order, late by the link's delay, held by a cut.
Never here: which link a connection belongs to (see `relay`), reading faster than the other side takes (reading stops at
`HELD_LIMIT_BYTES` a direction, so the rest waits in the sender's own buffers).
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import cast

from holdfast.lab.links import Path

HELD_LIMIT_BYTES = 256 * 1024
_LINGER_NONE = struct.pack("ii", 1, 0)


class End(Enum):
    """How a stream of bytes ends."""

    FINISHED = "finished"
    RESET = "reset"


class Stream:
    """Bytes of one connection in one direction, from where they are read to where they are written."""

    def __init__(self, link: Path, loop: asyncio.AbstractEventLoop, on_end: Callable[[], None]) -> None:
        self.link = link
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.sink_is_full = False
        self.ended = False
        """The end was passed on, or nobody is left to take anything."""
        self.not_before_seconds = 0.0
        """The handshake ends then (on the loop's clock): what arrived earlier counts as sent at that moment."""
        self._loop = loop
        self._on_end = on_end
        self._queue: deque[tuple[float, bytes | End]] = deque()
        self._held_bytes = 0
        self._reading = True
        self._timer: asyncio.TimerHandle | None = None
        link.subscribe(self.pump)

    def feed(self, item: bytes | End) -> None:
        """Something arrived from the source."""
        if self.ended:
            return
        link, sink = self.link, self.sink
        if not self._queue and link.open and not link.delay_seconds and sink is not None and not self.sink_is_full:
            self._pass_on(sink, item)
            return
        self._queue.append((max(self._loop.time(), self.not_before_seconds) + link.delay_seconds, item))
        if isinstance(item, bytes):
            self._held_bytes += len(item)
        self.pump()

    def pump(self) -> None:
        """Pass on what is due, if it may pass, and read on or stop reading accordingly."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        sink = self.sink
        now = self._loop.time()
        while self._queue and sink is not None and self.link.open and not self.sink_is_full and not self.ended:
            due, item = self._queue[0]
            if due > now:
                self._timer = self._loop.call_at(due, self.pump)
                break
            self._queue.popleft()
            if isinstance(item, bytes):
                self._held_bytes -= len(item)
            self._pass_on(sink, item)
        self._regulate()

    def discard(self) -> None:
        """Nobody is left to take anything: forget what is held and ignore what comes."""
        if self.ended:
            return
        self.ended = True
        self._queue.clear()
        self._held_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.link.unsubscribe(self.pump)
        self._regulate()
        self._on_end()

    def _pass_on(self, sink: asyncio.Transport, item: bytes | End) -> None:
        if isinstance(item, bytes):
            self.link.carried(len(item))
            sink.write(item)
            return
        if item is End.RESET:
            reset(sink)
        elif not sink.is_closing():
            try:
                sink.write_eof()
            except OSError:
                sink.abort()  # reset by its other end, which nobody noticed because nothing was read from it any more
        self.discard()

    def _regulate(self) -> None:
        wanted = self.ended or self._held_bytes < HELD_LIMIT_BYTES
        if wanted == self._reading or self.source is None or self.source.is_closing():
            return
        self._reading = wanted
        if wanted:
            self.source.resume_reading()
        else:
            self.source.pause_reading()


def reset(transport: asyncio.Transport) -> None:
    """Close at once, so that the other end sees a reset."""
    connection = cast(socket.socket | None, transport.get_extra_info("socket"))
    if connection is not None and not transport.is_closing():
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        except OSError:
            pass  # already gone, which is what was wanted
    transport.abort()


class Flow:
    """One connection: the caller's side, the server's side, and a stream each way."""

    def __init__(self, there: Path, back: Path, target: tuple[str, int], forget: Callable[["Flow"], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._target = target
        self._forget = forget
        self._there = Stream(there, self._loop, self._close_when_done)
        self._back = Stream(back, self._loop, self._close_when_done)
        self._connecting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._caller: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None

    def start(self, caller: asyncio.Transport) -> None:
        """The caller's connection was accepted; connect onward as soon as a handshake could have ended."""
        self._caller = caller
        self._there.source = caller
        self._back.sink = caller
        round_trip = self._there.link.delay_seconds + self._back.link.delay_seconds
        for link in {self._there.link, self._back.link}:
            link.subscribe(self._advance)
        self._there.not_before_seconds = self._loop.time() + round_trip
        if round_trip:
            self._timer = self._loop.call_later(round_trip, self._handshake_could_have_ended)
        else:
            self._advance()

    def _handshake_could_have_ended(self) -> None:
        self._timer = None
        self._advance()

    def _advance(self) -> None:
        both_open = self._there.link.open and self._back.link.open
        if both_open and self._timer is None and self._connecting is None and self._caller is not None:
            self._connecting = self._loop.create_task(self._connect())
            self._stop_waiting()

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: ServerSide(self), *self._target)
        except OSError:
            self._there.discard()
            self._back.feed(End.RESET)

    def abort(self) -> None:
        """End both sides at once."""
        self._there.discard()
        self._back.discard()
        for transport in (self._caller, self._server):
            if transport is not None:
                transport.abort()

    def connected(self, server: asyncio.Transport) -> None:
        """The onward connection stands: what is held may flow."""
        self._server = server
        if self._caller is None:
            self._there.discard()
            self._back.discard()
            reset(server)
            return
        self._there.sink = server
        self._back.source = server
        self._there.pump()
        self._back.pump()

    def caller_sent(self, item: bytes | End) -> None:
        """Bytes or the end of bytes from the caller."""
        if item is End.FINISHED and self._connecting is None and self._timer is None:
            self._there.discard()
            self._back.discard()
        else:
            self._there.feed(item)

    def server_sent(self, item: bytes | End) -> None:
        """Bytes or the end of bytes from the server."""
        self._back.feed(item)

    def caller_lost(self, error: Exception | None) -> None:
        """The caller's side is gone; the server learns of a reset when the link lets it."""
        self._caller = None
        self._back.discard()
        if self._connecting is None:
            self._there.discard()
        elif error is not None:
            self._there.feed(End.RESET)
        self._close_when_done()

    def server_lost(self, error: Exception | None) -> None:
        """The server's side is gone; the caller learns of a reset when the link lets it."""
        self._server = None
        self._there.discard()
        if error is not None:
            self._back.feed(End.RESET)
        self._close_when_done()

    def caller_full(self) -> None:
        """The caller takes no more for now."""
        self._back.sink_is_full = True

    def caller_ready(self) -> None:
        """The caller takes bytes again."""
        self._back.sink_is_full = False
        self._back.pump()

    def server_full(self) -> None:
        """The server takes no more for now."""
        self._there.sink_is_full = True

    def server_ready(self) -> None:
        """The server takes bytes again."""
        self._there.sink_is_full = False
        self._there.pump()

    def _close_when_done(self) -> None:
        if not (self._there.ended and self._back.ended):
            return
        for transport in (self._caller, self._server):
            if transport is not None:
                transport.close()
        if self._caller is None and self._server is None:
            self._stop_waiting()
            self._forget(self)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for link in (self._there.link, self._back.link):
            link.unsubscribe(self._advance)


class CallerSide(asyncio.Protocol):
    """What the relay accepted. `route` says which flow a new connection becomes."""

    def __init__(self, route: Callable[[asyncio.Transport], Flow]) -> None:
        self._route = route
        self._flow: Flow

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller connected."""
        caller = cast(asyncio.Transport, transport)
        self._flow = self._route(caller)
        self._flow.start(caller)

    def data_received(self, data: bytes) -> None:
        """The caller sent bytes."""
        self._flow.caller_sent(data)

    def eof_received(self) -> bool:
        """The caller sends no more, and may still listen."""
        self._flow.caller_sent(End.FINISHED)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller's connection is gone."""
        self._flow.caller_lost(exc)

    def pause_writing(self) -> None:
        """The caller takes no more for now."""
        self._flow.caller_full()

    def resume_writing(self) -> None:
        """The caller takes bytes again."""
        self._flow.caller_ready()


class ServerSide(asyncio.Protocol):
    """The onward connection of a flow."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server accepted."""
        self._flow.connected(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        """The server sent bytes."""
        self._flow.server_sent(data)

    def eof_received(self) -> bool:
        """The server sends no more, and may still listen."""
        self._flow.server_sent(End.FINISHED)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The server's connection is gone."""
        self._flow.server_lost(exc)

    def pause_writing(self) -> None:
        """The server takes no more for now."""
        self._flow.server_full()

    def resume_writing(self) -> None:
        """The server takes bytes again."""
        self._flow.server_ready()
