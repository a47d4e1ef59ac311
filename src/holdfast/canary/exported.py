"""Records of transactions in what was exported of a region before its stores were made replicas: what only it held then, or had otherwise.

Pure. Whatever it had like the writer is in the writer's own contents. A store that was not exported, or not wholly looked at, is *unknown*.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from holdfast.canary.records import NOT_NAMED
from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.plan.bindings import Bindings, PostgresBinding, RedisBinding, TableBinding
from holdfast.report.divergence import Divergence, DivergenceComponent, Entry


def exported_contents(divergence: Divergence | None, entries: Sequence[Entry], bindings: Bindings) -> tuple[StoreContents, ...]:
    """One value a database or cache of the export; none where there was no export. `bindings` of any site say where records stand."""
    if divergence is None:
        return ()
    found = []
    for component in divergence.components:
        binding = bindings.components.get(component.component, {}).get(divergence.source)
        if isinstance(binding, PostgresBinding | RedisBinding):
            mine = [entry.value for entry in entries if entry.component == component.component and entry.value.get("here") is not None]
            rows = _of_tables(mine, binding.records) if isinstance(binding, PostgresBinding) else _of_keys(mine, binding.records)
            found.append(_contents(divergence, component, dict(rows) if binding.records else None))
    return tuple(found)


def _contents(divergence: Divergence, component: DivergenceComponent, records: Mapping[str, StoredRecord] | None) -> StoreContents:
    """`records`: None where the bindings don't say where they stand."""
    problem = component.detail if component.status == "missing" else "; ".join(component.unexamined)
    if not component.looked_at:
        problem = problem or "nobody looked at it"
    if records is None:
        problem = problem or NOT_NAMED
    known = component.status == "exported" and not problem
    return StoreContents(component.component, divergence.source, divergence.exported_seconds, records if known else None, problem)


def _of_tables(rows: Sequence[Mapping[str, Any]], tables: Mapping[str, TableBinding]) -> Iterator[tuple[str, StoredRecord]]:
    for row in rows:
        schema, name = row["table"]
        title = name if schema == "public" else f"{schema}.{name}"
        if (columns := tables.get(title)) is not None:
            here = row["here"]
            at_seconds = _moment(here.get(columns.written_at)) if columns.written_at else None
            epoch, region = (here.get(column) if column else None for column in (columns.epoch, columns.region))
            yield f"{title}/{here.get(columns.request)}", StoredRecord(epoch, region, at_seconds)


def _moment(written: Any) -> float | None:
    """Seconds since 1970 of a `timestamptz` as PostgreSQL writes it; None for what is no moment (`infinity`, another type)."""
    try:
        return datetime.fromisoformat(written).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _of_keys(keys: Sequence[Mapping[str, Any]], prefixes: Sequence[str]) -> Iterator[tuple[str, StoredRecord]]:
    for key in keys:
        if str(key["id"]).startswith(tuple(prefixes)):
            yield str(key["id"]), StoredRecord.of_mark(key["here"])
