"""Records of transactions in what was exported of a region before its stores were made replicas: what only it held then, or had otherwise.

Pure. Whatever it had like the writer is in the writer's own contents. A store that was not exported, or not wholly looked at, is *unknown*,
and so is one with a record that should say under which epoch and when it was written and doesn't. What stands in tables and under keys
that the bindings don't name is no part of any count: `unnamed` says how much that is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from holdfast.canary.naming import PREFIX
from holdfast.canary.records import NOT_NAMED
from holdfast.ledger.contents import StoreContents, StoredRecord, epoch_of
from holdfast.plan.bindings import Bindings, PostgresBinding, RedisBinding, TableBinding
from holdfast.report.divergence import Divergence, DivergenceComponent, Entry

_SAME_TIMELINE = "same-timeline"


@dataclass(frozen=True, slots=True)
class _Held:
    """One record that only this side had, or had otherwise. `identifier`: the export's own, which no two share."""

    identifier: str
    key: str
    """As ledgers have it."""
    record: StoredRecord
    is_dated: bool
    """Whether it says when and under which epoch it was written, or never has to."""


_Component = tuple[DivergenceComponent, PostgresBinding | RedisBinding, list[tuple[Entry, _Held | None]]]


def exported_contents(divergence: Divergence, entries: Sequence[Entry], bindings: Bindings) -> tuple[StoreContents, ...]:
    """One value a database or cache of the export. `bindings` of any site say where records stand."""
    return tuple(
        _contents(divergence, component, [held for _, held in looked if held is not None] if binding.records else None)
        for component, binding, looked in _looked_at(divergence, entries, bindings)
    )


def unnamed(divergence: Divergence, entries: Sequence[Entry], bindings: Bindings) -> Mapping[str, int]:
    """What only the source held of tables and keys that the bindings don't name: `<component>` and the table, if any → how many."""
    return Counter(
        f"{component.component} {_place(entry.value)}".strip()
        for component, _, looked in _looked_at(divergence, entries, bindings)
        for entry, held in looked
        if held is None
    )


def _looked_at(divergence: Divergence, entries: Sequence[Entry], bindings: Bindings) -> Iterator[_Component]:
    """Each database and cache of the export with what the source had there: a record where the bindings name any at its place."""
    for component in divergence.components:
        binding = bindings.components.get(component.component, {}).get(divergence.source)
        mine = [entry for entry in entries if entry.component == component.component and entry.value.get("here") is not None]
        if isinstance(binding, PostgresBinding):
            tables = {title.removeprefix("public."): (title, columns) for title, columns in binding.records.items()}
            yield component, binding, [(entry, _of_row(entry, tables.get(_place(entry.value)))) for entry in mine]
        elif isinstance(binding, RedisBinding):
            yield component, binding, [(entry, _of_key(entry, binding.records)) for entry in mine]


def _contents(divergence: Divergence, component: DivergenceComponent, held: Sequence[_Held] | None) -> StoreContents:
    """`held`: None where the bindings don't say where its records stand."""
    undated = [one.key for one in held or () if not one.is_dated]
    problems = (
        component.detail if component.status == "missing" else "; ".join(component.unexamined),
        "" if component.looked_at else "nobody looked at it",
        f"it had the writer's history already when {divergence.source} was exported" if component.how == _SAME_TIMELINE else "",
        NOT_NAMED if held is None else "",
        f"{len(undated)} of its records don't say when or under which epoch they were written, {undated[0]} first" if undated else "",
    )
    problem = next((one for one in problems if one), "")
    records: dict[str, StoredRecord] = {}
    for one in held or ():  # several rows may be of one request: each counts
        records[one.key if one.key not in records else f"{one.key} ({one.identifier})"] = one.record
    known = component.status == "exported" and not problem
    return StoreContents(component.component, divergence.source, divergence.exported_seconds, records if known else None, problem)


def _place(row: Mapping[str, Any]) -> str:
    """The table that a row stands in, as a statement finds it: for a partition the whole that it is a part of. Empty for a key."""
    schema, name = row.get("partition_of") or row.get("table") or ("public", "")
    return name if schema == "public" else f"{schema}.{name}"


def _of_row(entry: Entry, table: tuple[str, TableBinding] | None) -> _Held | None:
    if table is None:
        return None
    (title, columns), here = table, entry.value["here"]
    at_seconds = _moment(here.get(columns.written_at)) if columns.written_at else None
    epoch, region = (here.get(column) if column else None for column in (columns.epoch, columns.region))
    record = StoredRecord(epoch_of(epoch), region, at_seconds)
    never = columns.epoch is None or columns.written_at is None
    is_dated = never or (record.epoch is not None and record.written_seconds is not None)
    return _Held(entry.identifier, f"{title}/{here.get(columns.request)}", record, is_dated)


def _moment(written: Any) -> float | None:
    """Seconds since 1970 of a `timestamptz` as PostgreSQL writes it, one without a zone in UTC; None for what is no moment (`infinity`)."""
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _of_key(entry: Entry, prefixes: Sequence[str]) -> _Held | None:
    """Customers' values may be of any form; a transaction's own says who wrote it."""
    key = str(entry.value["id"])
    prefix = next((one for one in prefixes if key.startswith(one)), None)
    if prefix is None:
        return None
    record = StoredRecord.of_mark(entry.value["here"])
    never = not key.removeprefix(prefix).startswith(PREFIX)
    return _Held(entry.identifier, key, record, never or (record.epoch is not None and record.written_seconds is not None))
