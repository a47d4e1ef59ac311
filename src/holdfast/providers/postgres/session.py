"""One session with a PostgreSQL server whose every use ends within its time-out, whatever the server or the way to it does.

A use that runs out of time is not cancelled politely: over a cut link that would wait for the very server that is silent. The socket is
shut down instead, which ends it here at once. Told apart are TimeoutError and ConnectionError (nothing is known), ServerRefusal (an
answer: no), and any other OSError: the password file can't be read here, which says nothing of the server. Never here: what the
statements are for.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from holdfast.plan.bindings import PostgresBinding

_T = TypeVar("_T")
Use = Callable[[AsyncConnection[Any]], Awaitable[_T]]


class ServerRefusal(Exception):
    """The server, or the host that it should run on, said no."""


class Session:
    """A session that is kept from use to use and made anew when it broke. For one task at a time."""

    def __init__(self, binding: PostgresBinding, application_name: str) -> None:
        self._binding = binding
        self._application_name = application_name
        self._kept: AsyncConnection[Any] | None = None

    async def use(self, question: Use[_T], timeout_seconds: float) -> _T:
        """Ask. A kept session that proves dead says nothing about the server, so a fresh one is tried in the time that is left."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout_seconds
        if self._kept is not None:
            with suppress(ConnectionError):
                return await self._ask(self._kept, question, ends - loop.time())
        self._kept = await self._connect(ends - loop.time())
        return await self._ask(self._kept, question, ends - loop.time())

    async def close(self) -> None:
        """Let go of the session."""
        kept, self._kept = self._kept, None
        if kept is not None:
            with suppress(psycopg.Error):
                await kept.close()

    async def _connect(self, timeout_seconds: float) -> AsyncConnection[Any]:
        password = self._binding.password_file.read_text(encoding="utf-8").strip()  # an OSError here is no word of the server's
        conninfo = make_conninfo(
            host=self._binding.host,
            port=self._binding.port,
            dbname=self._binding.database,
            user=self._binding.user,
            password=password,
            application_name=self._application_name,
            gssencmode="disable",
            keepalives_idle=5,
            tcp_user_timeout=5000,
        )
        where = f"{self._binding.host}:{self._binding.port}"
        try:
            async with asyncio.timeout(timeout_seconds):
                return await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)
        except TimeoutError:
            raise TimeoutError(f"no session with {where} within {timeout_seconds:.1f} s") from None
        except psycopg.OperationalError as error:
            raise _fault(error, where) from error

    async def _ask(self, connection: AsyncConnection[Any], question: Use[_T], timeout_seconds: float) -> _T:
        task = asyncio.ensure_future(question(connection))
        try:
            await asyncio.wait({task}, timeout=max(0.0, timeout_seconds))
            if not task.done():
                raise TimeoutError(f"{self._binding.host}:{self._binding.port} gave no answer in time")
            return task.result()
        except psycopg.OperationalError as error:
            self._kept = None
            connection.pgconn.finish()
            raise _fault(error, f"{self._binding.host}:{self._binding.port}") from error
        except psycopg.Error as error:
            raise ServerRefusal(str(error).strip()) from error
        finally:
            if not task.done():
                self._kept = None
                _sever(connection, task)


def _sever(connection: AsyncConnection[Any], task: "asyncio.Future[Any]") -> None:
    """End a use that hangs. What waits on the socket sees the end of the stream and finishes by itself, then the session is freed."""

    def free(ended: "asyncio.Future[Any]") -> None:
        if not ended.cancelled():
            ended.exception()
        connection.pgconn.finish()

    task.add_done_callback(free)
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as handle:
        handle.shutdown(socket.SHUT_RDWR)


def _fault(error: psycopg.OperationalError, where: str) -> Exception:
    """libpq has one class for all that is wrong with a connection: what the server said has an SQLSTATE, the rest is told by its words."""
    text = " ".join(str(error).split())
    if error.sqlstate is not None or "FATAL:" in text:
        return ServerRefusal(text)
    if "Connection refused" in text:
        return ServerRefusal(f"{where} refuses connections")
    if "timeout" in text.lower() or "timed out" in text.lower():
        return TimeoutError(f"{where}: {text}")
    return ConnectionError(f"{where}: {text}")
