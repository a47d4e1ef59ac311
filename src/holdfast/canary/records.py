"""What each region's stores hold of transactions' records, for the exact count of lost writes and for the proof that there was one writer.

Reads only. A store that cannot be read, or of which the bindings don't say where its records stand, is *unknown*, with the reason; it is
never taken for empty. Keys are those of ledgers.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.canary.naming import LAST, PREFIX, request_sent_at
from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.plan.bindings import Bindings, BucketBinding, ComponentBinding, PostgresBinding, RedisBinding
from holdfast.providers.postgres.records import DatabaseUnreadable
from holdfast.providers.postgres.records import stored_records as rows
from holdfast.providers.redis.records import CacheUnreadable
from holdfast.providers.redis.records import stored_records as keys
from holdfast.providers.s3.records import BucketUnreadable
from holdfast.providers.s3.records import stored_records as objects

SCHEMA = "holdfast/audit/v1"
NOT_NAMED = "the bindings don't name where its records stand (`records`)"
Records = dict[str, StoredRecord]


def every_record(bindings: Bindings, region: str) -> tuple[StoreContents, ...]:
    """Whatever transactions left in a region's stores, customers' records too: for a lab."""
    return _contents(bindings, region, 0.0, "", "", "")


def canary_records(bindings: Bindings, region: str, since_seconds: float) -> tuple[StoreContents, ...]:
    """What the canary's transactions since a moment left in a region's stores."""
    return _contents(bindings, region, since_seconds, PREFIX, request_sent_at(since_seconds), LAST)


def _contents(bindings: Bindings, region: str, since_seconds: float, begins: str, first: str, last: str) -> tuple[StoreContents, ...]:
    found = []
    for component, places in bindings.components.items():
        look = _look(places.get(region), begins, first, last)
        if look is not None:
            found.append(_read(component, region, since_seconds, look))
    return tuple(found)


class _NotNamed(Exception):
    pass


def _look(binding: ComponentBinding | None, begins: str, first: str, last: str) -> Callable[[], Records] | None:
    if not isinstance(binding, PostgresBinding | RedisBinding | BucketBinding):
        return None
    if not binding.records:
        return _not_named
    if isinstance(binding, PostgresBinding):
        return lambda: rows(binding, first, last)
    if isinstance(binding, RedisBinding):
        return lambda: keys(binding, begins, first, last)
    return lambda: objects(binding, begins, first, last)


def _not_named() -> Records:
    raise _NotNamed(NOT_NAMED)


def _read(store: str, region: str, since_seconds: float, look: Callable[[], Records]) -> StoreContents:
    started = time.time()
    try:
        return StoreContents(store, region, started, look(), since_seconds=since_seconds)
    except (DatabaseUnreadable, CacheUnreadable, BucketUnreadable, _NotNamed) as error:
        problem = f"{store} in {region} could not be read: {error}"
        return StoreContents(store, region, started, None, problem, since_seconds)


def write(path: Path, region: str, found: Sequence[StoreContents]) -> None:
    """Keep contents as JSON, for the report and as evidence."""
    document = {"schema": SCHEMA, "region": region, "stores": [store.as_json() for store in found]}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
    fresh.replace(path)


def read(path: Path) -> tuple[StoreContents, ...]:
    """Inverse of `write`."""
    return tuple(StoreContents.from_json(store) for store in json.loads(path.read_text(encoding="utf-8"))["stores"])
