"""What transactions left in a Redis: the keys that carry a request's identifier behind a named prefix. Reads only, in batches."""

from typing import Any

import redis

from holdfast.ledger.contents import StoredRecord
from holdfast.plan.bindings import RedisBinding

_CONNECT_SECONDS = 3
_READ_SECONDS = 20
_BATCH = 500


class CacheUnreadable(Exception):
    """Its contents are not known, for the reason in the text."""


def stored_records(binding: RedisBinding, begins: str, first: str, last: str) -> dict[str, StoredRecord]:
    """Key → record, for requests from `first` to `last` (to the end when empty) that begin with `begins`. Raises CacheUnreadable.

    Who wrote stands in a value that is a JSON object with `epoch`, `region` and `written_seconds`; in any other value nobody says so.
    """
    records: dict[str, StoredRecord] = {}
    try:
        with _connection(binding) as connection:
            for prefix in binding.records:
                found = connection.scan_iter(match=f"{_literal(prefix + begins)}*", count=_BATCH)
                keys = sorted({key for key in found if _within(key.removeprefix(prefix), first, last)})
                for start in range(0, len(keys), _BATCH):
                    batch = keys[start : start + _BATCH]
                    values: list[Any] = list(connection.mget(batch))
                    found = ((key, value) for key, value in zip(batch, values, strict=True) if value is not None)
                    records.update((key, StoredRecord.of_mark(value)) for key, value in found)
    except (redis.RedisError, OSError, UnicodeDecodeError) as error:
        raise CacheUnreadable((str(error).splitlines() or [type(error).__name__])[0]) from error
    return records


def _connection(binding: RedisBinding) -> "redis.Redis":
    return redis.Redis(
        host=binding.host,
        port=binding.port,
        password=binding.password_file.read_text(encoding="utf-8").strip() or None,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_READ_SECONDS,
        decode_responses=True,
    )


def _within(request: str, first: str, last: str) -> bool:
    return first <= request and (not last or request <= last)


def _literal(text: str) -> str:
    """The text as a pattern that matches only itself."""
    return "".join(f"\\{character}" if character in "*?[]\\" else character for character in text)
