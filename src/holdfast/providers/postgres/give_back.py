"""Rows that only a lost region held, inserted into the region that serves: only where nothing stands under their key.

Rules: all rows of a wish are one transaction that first reads the writer's mark, so nothing is written under another epoch than was meant,
and either all of them get in or none; in which order they need each other is found out. A row that is there stays as it is, and the columns
in which it differs are named; a sequence behind an inserted key is moved on, or the application would meet it. Repeating changes nothing.
Never here: updates and deletions, which a person does by hand.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from holdfast.plan.bindings import PostgresBinding
from holdfast.ports.divergence import GivenBack

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 20
_LOCK_SECONDS = 5
_COLUMNS = """SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
              AND a.attgenerated = '' AND (%s::jsonb -> 'here') ? a.attname ORDER BY a.attnum"""
Attempt = Callable[[psycopg.Connection[Any], Sequence[Mapping[str, Any]], Sequence[str]], list[GivenBack]]


class PostgresGiver:
    """Implements `StoreGiver`."""

    def __init__(self, bindings: Mapping[str, PostgresBinding]) -> None:
        self._bindings = bindings

    def look(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        """The rows are inserted and the transaction is rolled back: the server itself says what would become of them."""
        return self._tried(entries, lines, region, epoch, _looked)

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        """One transaction, rolled back where a row can't be taken."""
        return self._tried(entries, lines, region, epoch, _given)

    def _tried(
        self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int], attempt: Attempt
    ) -> list[GivenBack]:
        if region not in self._bindings:
            return [GivenBack("refused", f"the bindings name no PostgreSQL in {region}")] * len(entries)
        try:
            with self._connected(region) as connection:
                mark = connection.execute("SELECT era, epoch, region, pg_is_in_recovery() FROM holdfast.writer").fetchone()
                if mark is None or tuple(mark) != (*epoch, region, False):
                    return [GivenBack("refused", f"{region} is not the writer of epoch {epoch[0]}.{epoch[1]} any more")] * len(entries)
                return attempt(connection, entries, lines)
        except (psycopg.Error, OSError) as error:
            return [GivenBack("unknown", _first_line(error))] * len(entries)

    def _connected(self, region: str) -> psycopg.Connection[Any]:
        """A session whose block is a transaction."""
        binding = self._bindings[region]
        limits = f"-c statement_timeout={_STATEMENT_SECONDS * 1000} -c lock_timeout={_LOCK_SECONDS * 1000}"
        return psycopg.connect(
            host=binding.host,
            port=binding.port,
            dbname=binding.database,
            user=binding.user,
            password=binding.password_file.read_text(encoding="utf-8").strip(),
            connect_timeout=_CONNECT_SECONDS,
            options=limits,
            application_name="holdfast divergence",
        )


def _looked(connection: psycopg.Connection[Any], entries: Sequence[Mapping[str, Any]], lines: Sequence[str]) -> list[GivenBack]:
    answers = _all_inserted(connection, entries, lines)
    connection.rollback()
    return answers


def _given(connection: psycopg.Connection[Any], entries: Sequence[Mapping[str, Any]], lines: Sequence[str]) -> list[GivenBack]:
    answers = _all_inserted(connection, entries, lines)
    if not all(answer.fine for answer in answers):
        connection.rollback()
        return [GivenBack("withheld", "nothing was written") if answer.result == "applied" else answer for answer in answers]
    for entry, answer in zip(entries, answers, strict=True):
        if answer.result == "applied":
            for column, value in entry["key"].items():
                _move_sequence(connection, sql.Identifier(*entry["table"]), column, value)
    return answers


def _all_inserted(connection: psycopg.Connection[Any], entries: Sequence[Mapping[str, Any]], lines: Sequence[str]) -> list[GivenBack]:
    """Every row at a savepoint of its own. One that lacks a row which it refers to is tried again after the others."""
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    answers: dict[int, GivenBack] = {}
    waiting = list(range(len(entries)))
    while waiting:
        lacking: dict[int, str] = {}
        for number in waiting:
            try:
                with connection.transaction():
                    answers[number] = _inserted(connection, entries[number], lines[number])
            except psycopg.errors.ForeignKeyViolation as error:
                lacking[number] = _first_line(error)
            except psycopg.Error as error:
                if error.sqlstate is None:
                    raise  # the session is gone
                answers[number] = GivenBack("refused", _first_line(error))
        if len(lacking) == len(waiting):
            answers |= {number: GivenBack("refused", why) for number, why in lacking.items()}
            break
        waiting = list(lacking)
    return [answers[number] for number in range(len(entries))]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _inserted(connection: psycopg.Connection[Any], entry: Mapping[str, Any], line: str) -> GivenBack:
    table = sql.Identifier(*entry["table"])
    columns = [row[0] for row in connection.execute(_COLUMNS, (table.as_string(connection), line))]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    record = sql.SQL("jsonb_populate_record(NULL::{}, %(line)s::jsonb -> 'here')").format(table)
    absent = sql.SQL("") if entry["key"] else sql.SQL("WHERE NOT EXISTS (SELECT 1 FROM {} t WHERE to_jsonb(t) = to_jsonb(r))").format(table)
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} r {} ON CONFLICT DO NOTHING")
    done = connection.execute(insert.format(table, names, names, record, absent), {"line": line})
    if done.rowcount == 1:
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
