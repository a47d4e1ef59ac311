"""One long-lived session to a server, made anew after any fault, and never waited for longer than a second.

For what is asked again and again beside everything else (heartbeat, status): a question that hangs must not pile up others behind it.
"""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

_WAIT_SECONDS = 0.9


class Closable(Protocol):
    """What a session must have."""

    def close(self) -> None:
        """End it at once."""


_C = TypeVar("_C", bound=Closable)
_T = TypeVar("_T")


class KeptSession(Generic[_C]):
    """A session and its lock."""

    def __init__(self, connect: Callable[[], _C]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._connection: _C | None = None

    def use(self, question: Callable[[_C], _T]) -> _T:
        """Ask over the session. Raises ConnectionError while another question still waits, and whatever the question raises."""
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise ConnectionError("the question before still waits for its answer")
        try:
            if self._connection is None:
                self._connection = self._connect()
            return question(self._connection)
        except Exception:
            self._forget()
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the session; the next use makes a new one."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
