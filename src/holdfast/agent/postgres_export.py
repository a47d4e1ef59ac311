"""What only a fenced PostgreSQL holds, compared row by row with the writer, before anything is rewound.

The fenced directory itself is started, as a standby of nobody: read-only, on a free loopback port, where only the administrator gets in. It
replays its own log to the end, which the rewind after it needs anyway, so no copy and no room for one is needed. Of the tables that the
transactions lost with it touched, their rows are held against the writer's under the same primary key.
Rules: the sign that bars a writer stands throughout; nothing is started where the log shows that nothing was lost; what can't be looked
at is said in words. Rows of Holdfast's own tables (marks, heartbeats) are no loss. Never here: giving anything back to the writer.
"""
# ruff: noqa: S608 - names and values stand in the text through `identifier` and `literal`: the small client has no bound parameters

import hashlib
import json
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from holdfast.agent import postgres_copy as copy
from holdfast.agent import postgres_files as files
from holdfast.agent import postgres_wal as wal
from holdfast.agent.exports import Export, Part
from holdfast.agent.postgres_files import PostgresConfiguration
from holdfast.agent.postgres_wal import Lost
from holdfast.agent.postgres_wire import Connection, Rows, StatementError, WireError, identifier, literal
from holdfast.agent.server_process import ServerProcess, until
from holdfast.agent.store import Facts, Launcher, StoreFailure

_LOOPBACK = "127.0.0.1"
_START_SECONDS = 300.0
_QUERY_SECONDS = 600.0
_BATCH = 200
_MOST_RANGES = 20_000
_ROOM_PER_LOGGED_BYTE = 3
_UNDEFINED_TABLE = "42P01"
_NOT_ROWS = ("pg_catalog", "information_schema", "pg_toast", "holdfast")

_TABLES = f"""
SELECT n.nspname, c.relname, pg_relation_filenode(c.oid),
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       coalesce((SELECT json_agg(a.attname ORDER BY k.n)
          FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, n)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
         WHERE i.indrelid = c.oid AND i.indisprimary), '[]'),
       (SELECT json_build_array(m.nspname, r.relname) FROM pg_class r JOIN pg_namespace m ON m.oid = r.relnamespace
         WHERE r.oid = pg_partition_root(c.oid) AND c.relispartition)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ({", ".join(map(literal, _NOT_ROWS))})
 ORDER BY 1, 2
"""
_OWN_FILES = """
WITH own AS (SELECT oid, reltoastrelid FROM pg_class WHERE relnamespace = to_regnamespace('holdfast') AND relkind = 'r'
                 OR oid IN ('pg_statistic'::regclass, 'pg_statistic_ext_data'::regclass))
SELECT pg_relation_filenode(c.oid), (SELECT oid FROM pg_database WHERE datname = current_database())
  FROM pg_class c WHERE c.oid IN (SELECT oid FROM own UNION ALL SELECT reltoastrelid FROM own)
"""
"""Marks and heartbeats, and what the server counts by itself."""
_STATISTICS = frozenset({2619, 2840, 3429, 3430})
"""File numbers of pg_statistic and pg_statistic_ext_data with their TOAST tables, in every database in which nobody rewrote them: what
autovacuum counts by itself, also where no client ever writes (template1)."""
_CATALOGS = """
SELECT pg_relation_filenode(c.oid),
       CASE WHEN c.relisshared THEN 0 ELSE (SELECT oid FROM pg_database WHERE datname = current_database()) END,
       c.relname IN ('pg_largeobject', 'pg_largeobject_metadata')
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'pg_catalog'::regnamespace
   AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data')
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as both sides have it. `key`: of its primary key, empty without one; `whole`: what it is a partition of, if any."""

    schema: str
    name: str
    relation: wal.Relation
    key: tuple[str, ...]
    whole: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """As ledgers and people call it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """Its name in a statement."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"

    @property
    def key_sql(self) -> str:
        """A row's key as a JSON object."""
        return f"jsonb_build_object({', '.join(f'{literal(column)}, t.{identifier(column)}' for column in self.key)})::text"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as the server wrote it. Both stay text: reading numbers as floats would change them."""

    key: str
    content: str

    def line(self, table: Table, change: str, here: str | None, there: str | None) -> str:
        """One entry of the export."""
        values = json.loads(self.key, parse_float=str)
        name = (
            "/".join(str(values[column]) for column in table.key) if table.key else hashlib.sha256(self.content.encode()).hexdigest()[:32]
        )
        where = {"table": [table.schema, table.name]} | ({"partition_of": [*table.whole]} if table.whole is not None else {})
        head = json.dumps({"id": f"{table.title}/{name}", "change": change, **where}, ensure_ascii=False)
        return f'{head[:-1]}, "key": {self.key}, "here": {here or "null"}, "there": {there or "null"}}}'


def export(configuration: PostgresConfiguration, launcher: Launcher, process: ServerProcess, into: Export) -> Facts:
    """Write everything that only this directory holds. Raises StoreFailure when that can't be done; then nothing was lost by trying."""
    if files.is_empty(configuration.data_directory):
        raise StoreFailure(f"{configuration.data_directory} holds no data: what only this region held is gone, or lies somewhere else")
    if configuration.rewinding_sign.exists():
        raise StoreFailure(
            f"a pg_rewind of {configuration.data_directory} was interrupted: what only it held may be half gone; look by hand"
        )
    control = copy.control_data(configuration, launcher)
    timeline = wal.own_timeline(configuration, control)
    with _writer(configuration) as writer:
        there, history = _history(writer)
        fork = wal.fork_of(history, timeline, there)
        since = {"timeline": timeline, "writer_timeline": there, "fork": fork}
        if fork is None:
            into.begin(0)
            return into.finish({"how": "same-timeline", "since": since})
        lost = wal.read_lost(configuration, launcher, fork, timeline, int(control.get("Bytes per WAL segment", 16 << 20)))
        since |= {"lost_transactions": len(lost.transactions), "log_bytes": lost.log_bytes}
        into.begin(_ROOM_PER_LOGGED_BYTE * lost.log_bytes if lost.transactions else 0)
        if not _worth_a_look(lost, writer):
            return into.finish({"how": "nothing-lost", "since": since})
        with _aside(configuration, launcher, process, lost.last) as here:
            _compare(here, writer, lost, into)
        return into.finish({"how": "compared", "since": since})


@contextmanager
def _writer(configuration: PostgresConfiguration) -> Iterator[Connection]:
    place = f"the writer at {configuration.peer_host}:{configuration.peer_port}"
    try:
        with Connection(configuration.peer_address(), 5) as session:
            yield session
    except (WireError, StatementError) as error:
        raise StoreFailure(f"the comparison with {place} broke off: {error}") from error


def _history(writer: Connection) -> tuple[int, str]:
    """The writer's time line, and the file that says where it came from."""
    if writer.query("SELECT pg_is_in_recovery()", 5).one()[0] == "t":
        raise StoreFailure("the peer is a replica itself: there is no writer to compare with")
    timeline = int(
        str(writer.query("SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int", 5).one()[0])
    )
    if timeline == 1:
        return timeline, ""
    return timeline, writer.query(f"SELECT convert_from(pg_read_binary_file('pg_wal/{timeline:08X}.history'), 'UTF8')", 5).one()[0] or ""


def _worth_a_look(lost: Lost, writer: Connection) -> bool:
    """Whether more was written than marks and heartbeats. Files that the writer doesn't know count as more."""
    if lost.beyond or lost.truncated:
        return True
    if not lost.transactions:
        return False
    own = {(int(database or 0), int(node or 0)) for node, database in writer.query(_OWN_FILES, 30).rows}
    return not {relation for relation in lost.touched if relation[1] not in _STATISTICS} <= own


@contextmanager
def _aside(configuration: PostgresConfiguration, launcher: Launcher, process: ServerProcess, last: str) -> Iterator[Connection]:
    """The fenced directory, replayed to its end and open to nobody else. Stopped orderly afterwards, which a rewind asks for too."""
    files.bar(configuration)
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    private = replace(configuration, host=_LOOPBACK, port=port)
    rules = configuration.data_directory.with_name(configuration.data_directory.name + ".export-hba")
    files.write_owned(rules, f'host all "{configuration.admin_user}" {_LOOPBACK}/32 scram-sha-256\n', configuration.os_user)
    settings = {
        "listen_addresses": _LOOPBACK,
        "port": str(port),
        "hba_file": str(rules),
        "primary_conninfo": "",
        "primary_slot_name": "",
        "archive_mode": "off",
        "synchronous_standby_names": "",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [configuration.program("postgres"), "-D", str(configuration.data_directory)]
    process.start([*command, *copy.replica_options(configuration, launcher), *options], environment={"LC_ALL": "C.UTF-8"})
    try:
        process.wait_until(lambda: copy.accepts(private), _START_SECONDS, "it had replayed its own log")
        with Connection(private.address(), 5) as session:
            _replayed(session, last)
            yield session
    finally:
        process.stop(signal.SIGINT, 60)
        rules.unlink(missing_ok=True)


def _replayed(session: Connection, last: str) -> None:
    if not last:
        return
    for _ in until(_START_SECONDS):
        if session.query(f"SELECT coalesce(pg_last_wal_replay_lsn() > {literal(last)}::pg_lsn, true)", 5).one()[0] == "t":
            return
    raise StoreFailure(f"the fenced PostgreSQL did not replay its own log up to {last}; see its log")


def _compare(here: Connection, writer: Connection, lost: Lost, into: Export) -> None:
    tables = [_table(row) for row in here.query(_TABLES, 30).rows]
    known = {table.relation for table in tables}
    database = next(iter(known), (0, 0))[0]
    other = sorted({relation[0] for relation in lost.touched if relation[1] not in _STATISTICS} - {database, 0})
    if other:
        into.unexamined.append(
            f"other databases of this server were written too (object identifiers {', '.join(map(str, other))}): look by hand"
        )
    if lost.truncated:
        into.unexamined.append("a table was emptied (TRUNCATE) here alone: which rows that took is not listed")
    if lost.beyond:
        into.unexamined.append(
            f"the log of {lost.log_bytes} bytes was not read block by block, so rows deleted here alone are not listed, "
            "nor is a change of the schema"
        )
    catalogs = {large: set[wal.Relation]() for large in (True, False)}
    for node, owner, large in here.query(_CATALOGS, 30).rows:
        catalogs[large == "t"].add((int(owner or 0), int(node or 0)))
    if catalogs[False] & lost.touched.keys():
        # Without logical decoding a TRUNCATE shows in the log only as what it does to the catalogue.
        into.unexamined.append("the schema was changed or a table emptied here alone (CREATE, ALTER, DROP, GRANT, TRUNCATE): look by hand")
    if catalogs[True] & lost.touched.keys():
        into.unexamined.append("large objects were written here alone: compare them by hand before anything is overwritten")
    for table in tables:
        if lost.beyond or table.relation in lost.touched:
            _compare_table(here, writer, lost, table, into)


def _table(row: tuple[str | None, ...]) -> Table:
    schema, name, node, database, key, whole = row
    relation = (int(database or 0), int(node or 0))
    return Table(str(schema), str(name), relation, tuple(json.loads(key or "[]")), tuple(json.loads(whole)) if whole else None)


def _compare_table(here: Connection, writer: Connection, lost: Lost, table: Table, into: Export) -> None:
    part = into.part(table.title)
    if not table.key:
        into.notes.append(f"{table.title} has no primary key: its rows are compared whole, and a changed row shows as one only here")
        if table.relation in lost.deleted_in:
            into.unexamined.append(f"rows of {table.title} were deleted here alone, and without a primary key nobody can say which")
    blocks = None if lost.beyond else lost.touched[table.relation]
    for rows in _batches(_rows(here, table, blocks, lost.transactions)):
        counterparts = _counterparts(writer, table, rows)
        for row in rows:
            other = counterparts.get(row.key if table.key else row.content)
            if other == row.content:
                part.same(1)
            else:
                change = "only-here" if other is None else "differs"
                part.add(change, row.line(table, change, row.content, other))
    if table.relation in lost.deleted_in:
        _deleted(here, writer, lost, table, part)


def _deleted(here: Connection, writer: Connection, lost: Lost, table: Table, part: Part) -> None:
    """Rows from before the fork that the writer still has where this side deleted: it left their blocks as they were."""
    if not table.key:
        return
    old = _rows(writer, table, lost.deleted_in[table.relation], None, below=lost.next_transaction)
    for rows in _batches(old):
        mine = _counterparts(here, table, rows)
        for row in rows:
            if row.key not in mine:
                part.add("deleted-here", row.line(table, "deleted-here", None, row.content))


def _rows(
    session: Connection, table: Table, blocks: frozenset[int] | None, transactions: frozenset[int] | None, below: int | None = None
) -> Iterator[_Row]:
    """Visible rows of these blocks (None: of all), written by these transactions or by ones below a number."""
    fields = f"t.xmin::text, {table.key_sql}, to_jsonb(t)::text"
    ranges = _ranges(blocks) if blocks is not None else [(0, None)]
    for first, end in ranges if len(ranges) <= _MOST_RANGES else [(0, None)]:
        where = "" if end is None else f" WHERE t.ctid >= '({first},0)' AND t.ctid < '({end},0)'"
        for answer in _fetched(session, f"SELECT {fields} FROM ONLY {table.sql} t{where}"):
            for writer, key, content in answer.rows:
                number = int(writer or 0)
                if (transactions is None or number in transactions) and (below is None or number < below):
                    yield _Row(str(key), str(content))


def _fetched(session: Connection, select: str) -> Iterator[Rows]:
    """A query's rows, some thousand at a time: a table may be larger than the memory."""
    try:
        session.query(f"BEGIN; DECLARE holdfast_export NO SCROLL CURSOR FOR {select}", _QUERY_SECONDS)
    except StatementError as error:
        session.query("ROLLBACK", 5)
        if error.sqlstate == _UNDEFINED_TABLE:
            return
        raise
    while (answer := session.query("FETCH 1000 FROM holdfast_export", _QUERY_SECONDS)).rows:
        yield answer
    session.query("COMMIT", 5)


def _ranges(blocks: frozenset[int]) -> list[tuple[int, int | None]]:
    """Neighbouring blocks together, each as [first, end)."""
    found: list[list[int]] = []
    for block in sorted(blocks):
        if found and found[-1][1] == block:
            found[-1][1] = block + 1
        else:
            found.append([block, block + 1])
    return [(first, end) for first, end in found]


def _batches(rows: Iterator[_Row]) -> Iterator[Sequence[_Row]]:
    batch: list[_Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _counterparts(session: Connection, table: Table, rows: Sequence[_Row]) -> dict[str, str]:
    """Key → row of the other side, for those that it has. Without a key: row → the same row."""
    if table.key:
        objects = f"[{','.join(row.key for row in rows)}]"
        names = ", ".join(identifier(column) for column in table.key)
        keys = ", ".join(f"(jsonb_populate_record(NULL::{table.sql}, e)).{identifier(column)}" for column in table.key)
        wanted = f"({names}) IN (SELECT {keys} FROM jsonb_array_elements({literal(objects)}::jsonb) e)"
        select = f"SELECT {table.key_sql}, to_jsonb(t)::text FROM ONLY {table.sql} t WHERE {wanted}"
    else:
        contents = ", ".join(literal(row.content) for row in rows)
        select = f"SELECT to_jsonb(t)::text, to_jsonb(t)::text FROM ONLY {table.sql} t WHERE to_jsonb(t)::text IN ({contents})"
    try:
        return {str(key): str(content) for key, content in session.query(select, _QUERY_SECONDS).rows}
    except StatementError as error:
        if error.sqlstate == _UNDEFINED_TABLE:
            return {}  # the writer has no such table: nothing of it is there
        raise
