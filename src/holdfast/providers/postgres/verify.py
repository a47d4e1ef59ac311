"""Proving a region's PostgreSQL: a committed write under the right epoch, and that the data is whole.

The write is a marked record of its own (a heartbeat whose source begins with `proof`). `prove_writer` is what a promotion is verified with;
`PostgresVerifyAction` (block `postgres.verify`) looks deeper: page checksums, every index as the catalogue says valid, every foreign key
validated and without orphans in its newest rows. Never here: changing application data.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from psycopg import AsyncConnection, sql

from holdfast.fencing.order import Order
from holdfast.plan.bindings import PostgresBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.postgres.session import ServerRefusal, Session

_TIMEOUT_SECONDS = 5.0
_ORPHANS_LOOKED_FOR_IN = 10_000

_WRITE = """
INSERT INTO holdfast.heartbeat (source, at, epoch) VALUES ('proof ' || %s, clock_timestamp(), holdfast.current_epoch())
ON CONFLICT (source) DO UPDATE SET at = excluded.at, epoch = excluded.epoch
RETURNING extract(epoch FROM at)::float8
"""

_FOREIGN_KEYS = """
SELECT c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text, c.convalidated,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n)
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k(num, n)
          JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num)
FROM pg_constraint c WHERE c.contype = 'f'
"""

_INVALID_INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready)"
_CHECKSUM_FAILURES = "SELECT coalesce(sum(checksum_failures), 0)::bigint FROM pg_stat_database"


async def _proved(session: AsyncConnection[Any], region: str, era: int, epoch: int) -> Finding:
    row = await (await session.execute("SELECT pg_is_in_recovery()")).fetchone()
    if row is None or row[0]:
        return Finding(Answer.NO, f"PostgreSQL in {region} is a standby", {"role": "standby"})
    mark = await (await session.execute("SELECT era, epoch, region FROM holdfast.writer")).fetchone()
    facts: dict[str, Any] = {"role": "primary", "mark": list(mark) if mark else None}
    if mark is None or tuple(mark) != (era, epoch, region):
        return Finding(Answer.NO, f"PostgreSQL in {region} is marked {mark}, not as the writer of era {era}, epoch {epoch}", facts)
    async with session.transaction():
        # Whether a standby confirms is another question: synchronous replication is set up again after this.
        await session.execute("SET LOCAL synchronous_commit = local")
        written = await (await session.execute(_WRITE, (region,))).fetchone()
    facts["written_seconds"] = written[0] if written else None
    return Finding(Answer.YES, f"a write was committed in {region} under era {era}, epoch {epoch}", facts)


async def _ask(binding: PostgresBinding, question: Callable[[AsyncConnection[Any]], Awaitable[Finding]], limit_seconds: float) -> Finding:
    session = Session(binding, "holdfast-proof")
    try:
        return await session.use(question, limit_seconds)
    except ServerRefusal as refusal:
        return Finding(Answer.NO, f"PostgreSQL says no: {refusal}")
    except OSError as error:  # silence, a broken connection, or a password that can't be read here
        return Finding(Answer.UNKNOWN, str(error))
    finally:
        await session.close()


def prove_writer(databases: Mapping[str, PostgresBinding]) -> Callable[[Task], Awaitable[Finding]]:
    """The proof of a promotion: a committed write in the target under the order's era and epoch."""

    async def prove(task: Task) -> Finding:
        order = task.order
        return await _ask(databases[task.target], lambda session: _proved(session, task.target, order.era, order.epoch), _TIMEOUT_SECONDS)

    return prove


class PostgresVerifyAction:
    """Block `postgres.verify`. The act is the look at everything; `check` states what it saw under the very order that it is asked about.

    So a look that was not taken is never held for one that found nothing wrong (after a restart it is taken again).
    """

    def __init__(self, databases: Mapping[str, PostgresBinding], *, timeout_seconds: float = 30.0) -> None:
        self._databases = databases
        self._timeout_seconds = timeout_seconds
        self._prove = prove_writer(databases)
        self._seen: dict[Order, Finding] = {}

    async def check(self, task: Task) -> Finding:
        """What the look under this order saw."""
        return self._seen.get(task.order) or Finding(Answer.NO, f"nothing was looked at under order {task.order.as_text()} yet")

    async def act(self, task: Task) -> Outcome:
        """Look at everything."""
        finding = await _ask(self._databases[task.target], _whole, self._timeout_seconds)
        self._seen = {task.order: finding}
        results = {Answer.YES: Result.SUCCEEDED, Answer.NO: Result.FAILED, Answer.UNKNOWN: Result.UNKNOWN}
        return Outcome(results[finding.answer], finding.detail, finding.facts)

    async def verify(self, task: Task) -> Finding:
        """What was seen, and a committed write under the epoch."""
        seen = await self.check(task)
        return await self._prove(task) if seen.answer is Answer.YES else seen


async def _whole(session: AsyncConnection[Any]) -> Finding:
    """Whether anything speaks against the integrity of the database."""
    faults: list[str] = []
    failures = await (await session.execute(_CHECKSUM_FAILURES)).fetchone()
    if failures and failures[0]:
        faults.append(f"{failures[0]} page checksum failures")
    invalid = [row[0] for row in await (await session.execute(_INVALID_INDEXES)).fetchall()]
    if invalid:
        faults.append(f"indexes not valid: {', '.join(invalid)}")
    keys = await (await session.execute(_FOREIGN_KEYS)).fetchall()
    for name, table, other, validated, columns, others in keys:
        if not validated:
            faults.append(f"foreign key {name} of {table} is not validated")
        elif orphans := await _orphans(session, table, other, columns, others):
            faults.append(f"{orphans} rows of {table} point at nothing in {other}")
    facts = {"foreign_keys": len(keys), "checksum_failures": failures[0] if failures else None, "invalid_indexes": invalid}
    if faults:
        return Finding(Answer.NO, f"the database is not whole: {'; '.join(faults)}", facts)
    return Finding(Answer.YES, f"no checksum failure, no invalid index, {len(keys)} foreign keys hold", facts)


async def _orphans(session: AsyncConnection[Any], table: str, other: str, columns: list[str], others: list[str]) -> int:
    """Rows that point at nothing, among a bounded number: a torn copy shows in any of them."""
    pairs = sql.SQL(" AND ").join(
        sql.SQL("o.{} = t.{}").format(sql.Identifier(theirs), sql.Identifier(ours)) for ours, theirs in zip(columns, others, strict=True)
    )
    present = sql.SQL(" AND ").join(sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(name)) for name in columns)
    # Both names come from the server's own catalogue as regclass, quoted by it where that is needed.
    query = sql.SQL(
        "SELECT count(*) FROM (SELECT * FROM {table} LIMIT {limit}) t WHERE {present} AND NOT EXISTS (SELECT FROM {other} o WHERE {pairs})"
    ).format(
        table=sql.SQL(table),
        other=sql.SQL(other),
        limit=sql.Literal(_ORPHANS_LOOKED_FOR_IN),
        present=present,
        pairs=pairs,
    )
    row = await (await session.execute(query)).fetchone()
    return int(row[0]) if row else 0
