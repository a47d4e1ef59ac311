"""The application's use of PostgreSQL: short statements in transactions of their own, an honest outcome for each.

Rules: one statement is one transaction, so its answer means *committed*. A late one is asked to be cancelled, and at its deadline the
connection is ended by shutting its socket: waiting for the cancel's own end would wait for a frozen server as well. A warning on a
write (a cancelled wait for the synchronous replica) is not an acknowledgement.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from holdfast.lab.application.outcomes import ANSWER_SECONDS, CONNECT_SECONDS, RefusedError, UnknownError
from holdfast.lab.application.settings import Settings

_IDLE_LIMIT = 8
_STATEMENT_SHARE, _CANCEL_SHARE = 0.65, 0.8
"""The server gives up a statement before its caller does, so that it can still say what it did not do. A commit that waits for a replica
has no such limit: it is cancelled, or its backend would wait on for ever and soon take every connection there is."""
_CANCEL_SECONDS = 0.3
_SQLSTATES_OF_LOST_ANSWERS = ("08", "57P")
"""Connection trouble and a server that shuts down: whether the commit happened is not said."""


class Database:
    """Connections to one database, made when needed and thrown away after any trouble."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: list[_Session] = []
        self._closed = False

    async def read(self, sql: str, parameters: Mapping[str, Any]) -> list[TupleRow]:
        """Rows of a query. Any trouble is a refusal: reading changes nothing."""
        try:
            return await self._run(sql, parameters)
        except UnknownError as error:
            raise RefusedError(str(error)) from error

    async def write(self, sql: str, parameters: Mapping[str, Any]) -> TupleRow:
        """The one row that a writing statement returns, after its commit. Raises RefusedError or UnknownError."""
        rows = await self._run(sql, parameters)
        if not rows:
            raise RefusedError("database: the statement wrote nothing")
        return rows[0]

    def close(self) -> None:
        """No connection stays: idle ones end now, busy ones after their statement."""
        self._closed = True
        while self._idle:
            self._idle.pop().drop()

    async def _run(self, sql: str, parameters: Mapping[str, Any]) -> list[TupleRow]:
        session = self._idle.pop() if self._idle else await self._connect()
        try:
            rows = await session.run(sql, parameters)
        except BaseException:
            session.drop()
            raise
        if self._closed or len(self._idle) >= _IDLE_LIMIT:
            session.drop()
        else:
            self._idle.append(session)
        return rows

    async def _connect(self) -> "_Session":
        s = self._settings
        try:
            # Until a statement has left, nothing can have happened: cancelling is safe here.
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await psycopg.AsyncConnection.connect(
                    host=s.database_host,
                    port=s.database_port,
                    dbname=s.database_name,
                    user=s.database_user,
                    password=s.database_password,
                    autocommit=True,
                    application_name="voicehive",
                    options=f"-c statement_timeout={int(ANSWER_SECONDS * _STATEMENT_SHARE * 1000)}",
                    sslmode="disable",
                    gssencmode="disable",
                )
        except TimeoutError:
            raise RefusedError(f"database: no connection to {s.addresses()['database']} within {CONNECT_SECONDS:g} s") from None
        except psycopg.Error as error:
            raise RefusedError(f"database: cannot connect: {_first_line(error)}") from error
        return _Session(connection)


class _Session:
    def __init__(self, connection: psycopg.AsyncConnection[TupleRow]) -> None:
        self._connection = connection
        self._warning: str | None = None
        self._cancelling: asyncio.Task[None] | None = None
        connection.add_notice_handler(self._notice)

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warning = f"{diagnostic.sqlstate} {diagnostic.message_primary}"

    async def run(self, sql: str, parameters: Mapping[str, Any]) -> list[TupleRow]:
        self._warning = None
        loop = asyncio.get_running_loop()
        late = loop.call_later(ANSWER_SECONDS * _CANCEL_SHARE, self._cancel)
        deadline = loop.call_later(ANSWER_SECONDS, self._shut)
        try:
            cursor = await self._connection.execute(sql, parameters)
            rows = await cursor.fetchall()
        except psycopg.errors.QueryCanceled as error:
            raise RefusedError(f"database: {_first_line(error)}") from error
        except psycopg.Error as error:
            state = error.sqlstate
            if state is None or state.startswith(_SQLSTATES_OF_LOST_ANSWERS):
                raise UnknownError(f"database: no answer: {_first_line(error)}") from error
            raise RefusedError(f"database: {state} {_first_line(error)}") from error
        finally:
            late.cancel()
            deadline.cancel()
        if self._warning is not None:
            raise UnknownError(f"database: committed here with a warning, which is no acknowledgement: {self._warning}")
        return rows

    def _cancel(self) -> None:
        self._cancelling = asyncio.create_task(self._ask_to_cancel())

    async def _ask_to_cancel(self) -> None:
        try:
            await self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
        except (psycopg.Error, OSError) as error:
            print(f"database: a late statement could not be cancelled: {_first_line(error)}", file=sys.stderr, flush=True)

    def _shut(self) -> None:
        """End a wait from outside: libpq sees the end of the stream and gives up at once, without asking the server for anything."""
        try:
            with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                same.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg.Error):
            return  # already gone, which is what was wanted

    def drop(self) -> None:
        self._shut()
        self._connection.pgconn.finish()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
