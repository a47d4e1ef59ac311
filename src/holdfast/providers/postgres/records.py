"""What transactions left in a PostgreSQL: the rows that carry a request's identifier, of all named tables in one snapshot. Reads only."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from holdfast.ledger.contents import StoredRecord, epoch_of
from holdfast.plan.bindings import PostgresBinding, TableBinding

_CONNECT_SECONDS = 3
READ_SECONDS = 20
_NOTHING = sql.SQL("NULL")
_EVERY = sql.SQL("")
_SOME = sql.SQL("WHERE {request} BETWEEN %(first)s AND %(last)s")


class DatabaseUnreadable(Exception):
    """Its contents are not known, for the reason in the text."""


def stored_records(binding: PostgresBinding, first: str, last: str) -> dict[str, StoredRecord]:
    """`<table>/<request>` → record, for requests from `first` to `last` in the order of texts; for all when both are empty.

    Raises DatabaseUnreadable.
    """
    try:
        with _connection(binding) as connection, _bounded(connection):
            # One snapshot for all tables, so that the count belongs to one moment.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return {
                f"{table}/{request}": StoredRecord(epoch_of(epoch), region, written)
                for table, columns in binding.records.items()
                for request, epoch, region, written in connection.execute(
                    _query(table, columns, _EVERY if first == last == "" else _SOME), {"first": first, "last": last}
                )
            }
    except (psycopg.Error, OSError) as error:
        raise DatabaseUnreadable((str(error).splitlines() or [type(error).__name__])[0]) from error


def _connection(binding: PostgresBinding) -> psycopg.Connection[TupleRow]:
    return psycopg.connect(
        host=binding.host,
        port=binding.port,
        dbname=binding.database,
        user=binding.user,
        password=binding.password_file.read_text(encoding="utf-8").strip(),
        connect_timeout=_CONNECT_SECONDS,
        options=f"-c statement_timeout={READ_SECONDS * 1000}",
        application_name="holdfast records",
    )


def _query(table: str, columns: TableBinding, which: sql.SQL) -> sql.Composed:
    def column(name: str | None) -> sql.Composable:
        return _NOTHING if name is None else sql.Identifier(name)

    written = sql.SQL("extract(epoch FROM {})::float8").format(sql.Identifier(columns.written_at)) if columns.written_at else _NOTHING
    return sql.SQL("SELECT {request}, {epoch}, {region}, {written} FROM {table} {which}").format(
        which=which.format(request=sql.Identifier(columns.request)),
        request=sql.Identifier(columns.request),
        epoch=column(columns.epoch),
        region=column(columns.region),
        written=written,
        table=sql.Identifier(*table.split(".")),
    )


@contextmanager
def _bounded(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """A link that is cut in the middle answers nothing and ends nothing: after the time, the socket is shut and libpq gives up."""

    def shut() -> None:
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(READ_SECONDS, shut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
