"""A small Redis client (RESP 2) on the standard library: one connection, one deadline an operation.

When a deadline passes the connection is closed, because what became of the command is unknown. Never here: pub/sub, TLS (an agent talks to
the server beside it).
"""

import socket
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

Reply = str | int | None | list["Reply"]


class RedisError(ConnectionError):
    """The connection could not be made or was lost; what a command in flight did is unknown."""


class RedisTimeout(RedisError, TimeoutError):
    """No answer before the deadline."""


class RedisRefusal(Exception):
    """The server said no, in its own words (`READONLY …`, `NOAUTH …`, `LOADING …`)."""

    @property
    def code(self) -> str:
        """The first word, which is Redis's error code."""
        return str(self).split(" ", 1)[0]


class Connection:
    """One session. Used by one thread at a time."""

    def __init__(self, host: str, port: int, password: str | None, timeout_seconds: float) -> None:
        self._buffer = b""
        self._encoding = "utf-8"
        self._deadline = time.monotonic() + timeout_seconds
        try:
            self._socket = socket.create_connection((host, port), timeout=timeout_seconds)
        except TimeoutError as error:
            raise RedisTimeout(f"no connection to {host}:{port} within {timeout_seconds:g} s") from error
        except OSError as error:
            raise RedisError(f"cannot connect to {host}:{port}: {error}") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if password:
                self._command(("AUTH", password))
        except BaseException:
            self.close()
            raise

    def command(self, *arguments: str, timeout_seconds: float) -> Reply:
        """One command and its answer. Raises RedisRefusal when the server refused, RedisError when nothing is known."""
        self._deadline = time.monotonic() + timeout_seconds
        return self._command(arguments)

    def binary(self, commands: Sequence[Sequence[str]], *, timeout_seconds: float) -> list[Reply]:
        """Commands sent together and their answers, in which every character stands for one byte (Latin-1), as in the arguments.

        Raises RedisRefusal for the first that the server refused.
        """
        self._deadline = time.monotonic() + timeout_seconds
        self._encoding = "latin-1"
        try:
            self._send(b"".join(self._encoded(command) for command in commands))
            return [self._reply() for _ in commands]
        except RedisRefusal:
            self.close()  # answers to the other commands may be under way
            raise
        finally:
            self._encoding = "utf-8"

    def information(self, section: str, timeout_seconds: float) -> dict[str, str]:
        """A section of INFO as names and values."""
        text = self.command("INFO", section, timeout_seconds=timeout_seconds)
        lines = (line.partition(":") for line in str(text).splitlines() if line and not line.startswith("#"))
        return {name: value for name, _, value in lines}

    def close(self) -> None:
        """End the session without waiting for anything."""
        self._socket.close()

    def __enter__(self) -> Self:
        """The connection itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def _command(self, arguments: tuple[str, ...]) -> Reply:
        self._send(self._encoded(arguments))
        return self._reply()

    def _encoded(self, arguments: Sequence[str]) -> bytes:
        parts = [argument.encode(self._encoding) for argument in arguments]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from error

    def _reply(self) -> Reply:
        line = self._line()
        kind, rest = line[:1], line[1:].decode(errors="replace")
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisRefusal(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))] if int(rest) >= 0 else None
        self.close()
        raise RedisError(f"what answers is not Redis: {line[:40]!r}")

    def _bulk(self, length: int) -> str | None:
        if length < 0:
            return None
        while len(self._buffer) < length + 2:
            self._fill()
        data, self._buffer = self._buffer[:length], self._buffer[length + 2 :]
        return data.decode(self._encoding, errors="replace")

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._fill()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _fill(self) -> None:
        try:
            self._socket.settimeout(self._left())
            data = self._socket.recv(65536)
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            self.close()
            raise RedisError("Redis closed the connection")
        self._buffer += data

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def _lost(self, error: OSError) -> RedisError:
        self.close()
        if isinstance(error, TimeoutError):
            return RedisTimeout("no answer from Redis before the deadline")
        return RedisError(f"the connection to Redis broke: {error}")
