"""What each region's stores hold, for the exact count of lost writes and for the proof that there was one writer.

    python -m holdfast.lab.audit --bindings FILE --region REGION [--out FILE]

Reads only. A store that cannot be read is *unknown*, with the reason; it is never taken for empty. Keys are those of ledgers:
`calls/<request>` in PostgreSQL, `session/…` in Redis, `recordings/…` in the bucket.
The file is `{"schema": "holdfast/audit/v1", "region", "stores": [...]}`.
"""

import argparse
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from psycopg import sql
from psycopg.rows import TupleRow

from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.plan.bindings import Bindings, BucketBinding, PostgresBinding, RedisBinding

TABLES = ("calls", "reservations", "logins", "aggregates", "setting_changes")
KEY_PREFIX_OF_CACHE = "session/"
KEY_PREFIX_OF_STORAGE = "recordings/"
_CONNECT_SECONDS = 3
_READ_SECONDS = 20
_BATCH = 500

Records = dict[str, StoredRecord]


def contents(bindings: Bindings, region: str) -> tuple[StoreContents, ...]:
    """Every store of a region that keeps application records, each with what it holds or why nobody knows."""
    found = []
    for component, places in bindings.components.items():
        binding = places.get(region)
        if isinstance(binding, PostgresBinding):
            found.append(_read(component, region, lambda binding=binding: _database(binding)))  # type: ignore[misc]
        elif isinstance(binding, RedisBinding):
            found.append(_read(component, region, lambda binding=binding: _cache(binding)))  # type: ignore[misc]
        elif isinstance(binding, BucketBinding):
            found.append(_read(component, region, lambda binding=binding: _storage(binding)))  # type: ignore[misc]
    return tuple(found)


def write(path: Path, region: str, found: Sequence[StoreContents]) -> None:
    """Keep contents as JSON, for the report and as evidence."""
    document = {"schema": "holdfast/audit/v1", "region": region, "stores": [store.as_json() for store in found]}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
    fresh.replace(path)


def read(path: Path) -> tuple[StoreContents, ...]:
    """Inverse of `write`."""
    return tuple(StoreContents.from_json(store) for store in json.loads(path.read_text(encoding="utf-8"))["stores"])


def _read(store: str, region: str, look: Callable[[], Records]) -> StoreContents:
    started = time.time()
    try:
        return StoreContents(store, region, started, look())
    except (psycopg.Error, redis.RedisError, BotoCoreError, ClientError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return StoreContents(store, region, started, None, f"{store} in {region} could not be read: {reason}")


def _database(binding: PostgresBinding) -> Records:
    records: Records = {}
    with (
        psycopg.connect(
            host=binding.host,
            port=binding.port,
            dbname=binding.database,
            user=binding.user,
            password=binding.password_file.read_text(encoding="utf-8").strip(),
            connect_timeout=_CONNECT_SECONDS,
            options=f"-c statement_timeout={_READ_SECONDS * 1000}",
            application_name="holdfast audit",
        ) as connection,
        _bounded(connection),
    ):
        # One snapshot for all tables, so that the count belongs to one moment.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in TABLES:
            query = sql.SQL("SELECT request, epoch, region, extract(epoch FROM written_at)::float8 FROM {}").format(sql.Identifier(table))
            for request, epoch, region, written in connection.execute(query):
                records[f"{table}/{request}"] = StoredRecord(epoch, region, written)
    return records


@contextmanager
def _bounded(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """A link that is cut in the middle answers nothing and ends nothing: after the time, the socket is shut and libpq gives up."""

    def shut() -> None:
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_READ_SECONDS, shut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cache(binding: RedisBinding) -> Records:
    records: Records = {}
    with redis.Redis(
        host=binding.host,
        port=binding.port,
        password=binding.password_file.read_text(encoding="utf-8").strip() or None,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_READ_SECONDS,
        decode_responses=True,
    ) as connection:
        keys = sorted(connection.scan_iter(match=f"{KEY_PREFIX_OF_CACHE}*", count=_BATCH))
        for start in range(0, len(keys), _BATCH):
            batch = keys[start : start + _BATCH]
            values: list[Any] = list(connection.mget(batch))
            for key, value in zip(batch, values, strict=True):
                if value is not None:  # ended between the two looks
                    mark = json.loads(value)
                    records[key] = StoredRecord(mark["epoch"], mark["region"], mark["written_seconds"])
    return records


def _storage(binding: BucketBinding) -> Records:
    timeouts = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 1})
    client = boto3.client(
        "s3",
        endpoint_url=binding.endpoint,
        aws_access_key_id=binding.access_key,
        aws_secret_access_key=binding.secret_key_file.read_text(encoding="utf-8").strip(),
        region_name="eu-west-1",
        config=timeouts,
    )
    records: Records = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=binding.bucket, Prefix=KEY_PREFIX_OF_STORAGE):
        for stored in page.get("Contents", ()):
            # Whose write it was stands in the object's metadata, which a listing does not show; a bucket's writer is not fenced anyway.
            records[stored["Key"]] = StoredRecord(None, None, stored["LastModified"].timestamp())
    return records


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what a region's stores hold; 2 when some store could not be read."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.lab.audit", description="Read what a region's stores hold.")
    parser.add_argument("--bindings", type=Path, required=True, metavar="FILE")
    parser.add_argument("--region", required=True)
    parser.add_argument("--out", type=Path, default=None, metavar="FILE")
    options = parser.parse_args(arguments)
    bindings = Bindings.model_validate_json(options.bindings.read_text(encoding="utf-8"))
    found = contents(bindings, options.region)
    if options.out is not None:
        write(options.out, options.region, found)
    for store in found:
        print(store.problem or f"{store.store} in {store.region}: {len(store.records or ())} records")
    return 2 if any(store.records is None for store in found) else 0


if __name__ == "__main__":
    sys.exit(main())
