"""Relaying UDP over the links: each caller has an onward socket of its own, so that answers find their way back.

A datagram that meets a cut link is lost, as it is on a real network: nothing would send it again. A late link delivers it late.
Never here: which link a caller's datagrams take (see `relay`).
"""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from holdfast.lab.links import Path

IDLE_SECONDS = 3.0
LARGEST_BYTES = 65535

Address = tuple[str, int]


class DatagramListener(asyncio.DatagramProtocol):
    """A UDP address that relays to a target. `route` gives the links there and back for a caller's address."""

    def __init__(self, target: Address, route: Callable[[str], tuple[Path, Path]]) -> None:
        self._target = target
        self._route = route
        self._transport: asyncio.DatagramTransport
        self._callers: dict[Address, _Caller] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The listener stands."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """A caller sent something."""
        caller = self._callers.get(addr)
        if caller is None:
            there, back = self._route(addr[0])
            try:
                caller = _Caller(self._target, there, back, lambda answer: self._transport.sendto(answer, addr), lambda: self._forget(addr))
            except OSError:
                return  # no free descriptor: the datagram is lost, as on a host in the same need
            self._callers[addr] = caller
        caller.send(data)

    def error_received(self, exc: Exception) -> None:
        """An answer did not reach its caller, who has gone: as on a real network nobody is told."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The listener was closed: close what it opened."""
        for caller in tuple(self._callers.values()):
            caller.close()

    def _forget(self, addr: Address) -> None:
        self._callers.pop(addr, None)


class _Caller:
    """One caller's way to the target, closed when nothing passed for a while."""

    def __init__(self, target: Address, there: Path, back: Path, answer: Callable[[bytes], None], forget: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._there = there
        self._back = back
        self._answer = answer
        self._forget = forget
        self._onward = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._onward.connect(target)
        self._loop.add_reader(self._onward, self._answers_arrived)
        self._idle = self._loop.call_later(IDLE_SECONDS, self.close)
        self._closed = False

    def send(self, data: bytes) -> None:
        """Send a datagram of the caller's on."""
        self._carry(self._there, data, self._deliver)

    def _carry(self, link: Path, data: bytes, deliver: Callable[[bytes], None]) -> None:
        self._idle.cancel()
        self._idle = self._loop.call_later(IDLE_SECONDS + self._there.delay_seconds + self._back.delay_seconds, self.close)
        if not link.open:
            return
        link.carried(len(data))
        if link.delay_seconds:
            self._loop.call_later(link.delay_seconds, deliver, data)
        else:
            deliver(data)

    def _deliver(self, data: bytes) -> None:
        if self._closed or not self._there.open:
            return
        try:
            self._onward.send(data)
        except OSError:
            return  # nobody listens there, or its buffer is full: lost, as on a real network

    def _deliver_answer(self, data: bytes) -> None:
        if self._back.open:
            self._answer(data)

    def _answers_arrived(self) -> None:
        while True:
            try:
                data = self._onward.recv(LARGEST_BYTES)
            except OSError:
                return  # no more for now, or the target said that nobody listens
            self._carry(self._back, data, self._deliver_answer)

    def close(self) -> None:
        """Give the onward socket back."""
        self._idle.cancel()
        self._closed = True
        self._loop.remove_reader(self._onward)
        self._onward.close()
        self._forget()
