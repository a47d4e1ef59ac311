"""Clients with one session each, opened now, that write on and on and keep when each write was acknowledged."""

import threading
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import psycopg

from holdfast.agent.pulse import boot_seconds
from holdfast.agent.redis_wire import Connection, RedisError, RedisRefusal

ANSWER_SECONDS = 60.0
"""Far above everything that a test waits for: a session ends with its server, and not because it grew impatient."""


class Session(threading.Thread):
    """One client. `over` is set when its session ended or a write was refused."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[float] = []
        self.over = threading.Event()

    def run(self) -> None:
        number = 0
        try:
            while not self.over.is_set():
                self.write(number)
                self.acknowledged.append(boot_seconds())
                number += 1
                time.sleep(0.002)
        except (psycopg.Error, RedisError, RedisRefusal):
            self.over.set()
        finally:
            self.close()

    @abstractmethod
    def write(self, number: int) -> None:
        """Return when the server acknowledged it."""

    @abstractmethod
    def close(self) -> None:
        """End the session."""

    @property
    def last(self) -> float:
        return self.acknowledged[-1] if self.acknowledged else 0.0


class PostgresSession(Session):
    """Each write is a commit of its own."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        super().__init__()
        self._connection = connection
        self._connection.execute("CREATE TABLE IF NOT EXISTS written (session bigint, n int)")

    def write(self, number: int) -> None:
        self._connection.execute("INSERT INTO written VALUES (%s, %s)", (id(self), number))

    def close(self) -> None:
        self._connection.close()


class RedisSession(Session):
    """Each write is a key of its own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def write(self, number: int) -> None:
        assert self._connection.command("SET", f"written:{id(self)}:{number}", "x", timeout_seconds=ANSWER_SECONDS) == "OK"

    def close(self) -> None:
        self._connection.close()


def assert_silent_after(sessions: Sequence[Session], end: float) -> None:
    """`end`: seconds since the machine's start."""
    for session in sessions:
        assert session.acknowledged, "the session must have written before"
        assert session.last <= end, f"a write was acknowledged {session.last - end:.3f} s after the end"
