"""Rows that only a lost region held, inserted into the region that serves: only where nothing stands under their key.

Rules: every row is a transaction of its own that first reads the writer's mark, so nothing is written under another epoch than was meant; a
row that is there stays as it is, and the columns in which it differs are named; a sequence behind an inserted key is moved on, or the
application would meet it. Repeating changes nothing. Never here: updates and deletions, which a person does by hand.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from holdfast.plan.bindings import PostgresBinding
from holdfast.ports.divergence import GivenBack

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 20
_COLUMNS = """SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
              AND a.attgenerated = '' AND (%s::jsonb -> 'here') ? a.attname ORDER BY a.attnum"""


class PostgresGiver:
    """Implements `StoreGiver`."""

    def __init__(self, bindings: Mapping[str, PostgresBinding]) -> None:
        self._bindings = bindings

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> Iterator[GivenBack]:
        """One transaction a row."""
        binding = self._bindings[region]
        with psycopg.connect(
            host=binding.host,
            port=binding.port,
            dbname=binding.database,
            user=binding.user,
            password=binding.password_file.read_text(encoding="utf-8").strip(),
            connect_timeout=_CONNECT_SECONDS,
            options=f"-c statement_timeout={_STATEMENT_SECONDS * 1000}",
            application_name="holdfast divergence",
            autocommit=True,
        ) as connection:
            for entry, line in zip(entries, lines, strict=True):
                yield _given(connection, entry, line, region, epoch)


def _given(connection: psycopg.Connection[Any], entry: Mapping[str, Any], line: str, region: str, epoch: tuple[int, int]) -> GivenBack:
    if entry["change"] != "only-here":
        return GivenBack("conflict" if entry["change"] == "differs" else "refused", "the writer has its own under this key: judge by hand")
    try:
        with connection.transaction():
            mark = connection.execute("SELECT era, epoch, region, pg_is_in_recovery() FROM holdfast.writer").fetchone()
            if mark is None or tuple(mark) != (*epoch, region, False):
                return GivenBack("refused", f"{region} is not the writer of epoch {epoch[0]}.{epoch[1]} any more")
            return _inserted(connection, entry, line)
    except psycopg.Error as error:
        words = (str(error).splitlines() or [type(error).__name__])[0]
        return GivenBack("unknown" if error.sqlstate is None else "refused", words)


def _inserted(connection: psycopg.Connection[Any], entry: Mapping[str, Any], line: str) -> GivenBack:
    table = sql.Identifier(*entry["table"])
    columns = [row[0] for row in connection.execute(_COLUMNS, (table.as_string(connection), line))]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    record = sql.SQL("jsonb_populate_record(NULL::{}, %(line)s::jsonb -> 'here')").format(table)
    absent = sql.SQL("") if entry["key"] else sql.SQL("WHERE NOT EXISTS (SELECT 1 FROM {} t WHERE to_jsonb(t) = to_jsonb(r))").format(table)
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} r {} ON CONFLICT DO NOTHING")
    done = connection.execute(insert.format(table, names, names, record, absent), {"line": line})
    if done.rowcount == 1:
        for column, value in entry["key"].items():
            _move_sequence(connection, table, column, value)
        return GivenBack("applied")
    if not entry["key"]:
        return GivenBack("already")
    same = sql.SQL(" AND ").join(sql.SQL("t.{0} = r.{0}").format(sql.Identifier(column)) for column in entry["key"])
    look = sql.SQL("SELECT to_jsonb(t)::text, to_jsonb(r)::text FROM {} t, {} r WHERE {}").format(table, record, same)
    there = connection.execute(look, {"line": line}).fetchone()
    if there is None:
        return GivenBack("conflict", "another row has one of its other unique values")
    mine, theirs = json.loads(there[1]), json.loads(there[0])
    different = [name for name in sorted(mine.keys() | theirs.keys()) if mine.get(name) != theirs.get(name)]
    return GivenBack("conflict", f"the writer's row has other values in {', '.join(different)}") if different else GivenBack("already")


def _move_sequence(connection: psycopg.Connection[Any], table: sql.Identifier, column: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        return
    found = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", (table.as_string(connection), column)).fetchone()
    if found is not None and found[0] is not None:
        sequence = sql.SQL(found[0])  # quoted by the server itself
        connection.execute(sql.SQL("SELECT setval(%s, greatest(%s, (SELECT last_value FROM {})))").format(sequence), (found[0], value))
