"""Keys that only a lost region held, given to the region that serves: only where the key is absent, exactly as Redis packed them.

Rules: the writer's mark must name the region and the epoch that were meant; a key that is there stays as it is. All keys of a wish are
written in one transaction, which Redis drops when one of them, or the mark, changed after it was looked at. Repeating changes nothing.
"""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from holdfast.plan.bindings import RedisBinding
from holdfast.ports.divergence import GivenBack

_SECONDS = 5.0
_ATTEMPTS = 5
_MARK = "holdfast:writer"


class RedisGiver:
    """Implements `StoreGiver`."""

    def __init__(self, bindings: Mapping[str, RedisBinding]) -> None:
        self._bindings = bindings

    def look(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        """Which keys are absent now."""
        if region not in self._bindings:
            return self._nowhere(entries, region)
        try:
            with self._connected(region) as connection:
                return _looked(connection, entries, region, epoch)
        except (redis.RedisError, OSError) as error:
            return _silent(entries, error)

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
        """RESTORE without REPLACE, all of them under WATCH."""
        if region not in self._bindings:
            return self._nowhere(entries, region)
        try:
            with self._connected(region) as connection:
                for _ in range(_ATTEMPTS):
                    try:
                        return _given(connection, entries, region, epoch)
                    except redis.WatchError:
                        continue
        except (redis.RedisError, OSError) as error:
            return _silent(entries, error)
        return [GivenBack("refused", "these keys change all the time: nothing was written; ask again")] * len(entries)

    def _nowhere(self, entries: Sequence[Mapping[str, Any]], region: str) -> list[GivenBack]:
        return [GivenBack("refused", f"the bindings name no Redis in {region}")] * len(entries)

    def _connected(self, region: str) -> "redis.Redis":
        binding = self._bindings[region]
        password = binding.password_file.read_text(encoding="utf-8").strip() or None
        return redis.Redis(
            host=binding.host,
            port=binding.port,
            password=password,
            socket_connect_timeout=_SECONDS,
            socket_timeout=_SECONDS,
            retry=Retry(NoBackoff(), 0),  # by itself it would ask a silent server four times before it says so
        )


def _silent(entries: Sequence[Mapping[str, Any]], error: Exception) -> list[GivenBack]:
    return [GivenBack("unknown", str(error) or type(error).__name__)] * len(entries)


def _given(connection: "redis.Redis", entries: Sequence[Mapping[str, Any]], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
    """Raises WatchError when something changed between the look and the transaction: then nothing was written."""
    with connection.pipeline(transaction=True) as transaction:
        transaction.watch(_MARK, *map(_key, entries))  # type: ignore[no-untyped-call]
        answers = _looked(transaction, entries, region, epoch)
        if not all(answer.fine for answer in answers):
            return [GivenBack("withheld", "nothing was written") if answer.result == "applied" else answer for answer in answers]
        wanted = [number for number, answer in enumerate(answers) if answer.result == "applied"]
        transaction.multi()
        for number in wanted:
            expires = entries[number].get("expires_at_seconds")
            packed = base64.b64decode(entries[number]["packed_base64"])
            until = 0 if expires is None else int(float(expires) * 1000)
            transaction.restore(_key(entries[number]), until, packed, absttl=expires is not None)
        for number, reply in zip(wanted, transaction.execute(raise_on_error=False), strict=True):
            if isinstance(reply, Exception):
                answers[number] = GivenBack("refused", str(reply))
        return answers


def _looked(connection: Any, entries: Sequence[Mapping[str, Any]], region: str, epoch: tuple[int, int]) -> list[GivenBack]:
    """`connection`: a client, or a transaction that only watches as yet."""
    mark = json.loads(connection.get(_MARK) or b"{}")
    if (mark.get("era"), mark.get("epoch"), mark.get("region")) != (*epoch, region):
        return [GivenBack("refused", f"{region} is not the writer of epoch {epoch[0]}.{epoch[1]} any more")] * len(entries)
    return [_looked_at(connection, entry) for entry in entries]


def _looked_at(connection: Any, entry: Mapping[str, Any]) -> GivenBack:
    there = connection.dump(_key(entry))
    if there is not None:
        same = there == base64.b64decode(entry["packed_base64"])
        return GivenBack("already") if same else GivenBack("conflict", "the writer has its own under this key: judge by hand")
    expires = entry.get("expires_at_seconds")
    if expires is not None and float(expires) <= time.time():
        return GivenBack("refused", "it has expired since")
    return GivenBack("applied")


def _key(entry: Mapping[str, Any]) -> bytes:
    return base64.b64decode(entry["key_base64"])
