"""Keys that only a lost region held, given to the region that serves: only where the key is absent, exactly as Redis packed them.

Rules: the writer's mark must name the region and the epoch that were meant; a key that is there stays as it is. Repeating changes nothing.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis

from holdfast.plan.bindings import RedisBinding
from holdfast.ports.divergence import GivenBack

_SECONDS = 5.0


class RedisGiver:
    """Implements `StoreGiver`."""

    def __init__(self, bindings: Mapping[str, RedisBinding]) -> None:
        self._bindings = bindings

    def give(self, entries: Sequence[Mapping[str, Any]], lines: Sequence[str], region: str, epoch: tuple[int, int]) -> Iterator[GivenBack]:
        """RESTORE without REPLACE, one key after the other."""
        binding = self._bindings[region]
        password = binding.password_file.read_text(encoding="utf-8").strip() or None
        with redis.Redis(
            host=binding.host, port=binding.port, password=password, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS
        ) as connection:
            for entry in entries:
                yield _given(connection, entry, region, epoch)


def _given(connection: "redis.Redis", entry: Mapping[str, Any], region: str, epoch: tuple[int, int]) -> GivenBack:
    if entry["change"] != "only-here":
        return GivenBack("conflict", "the writer has its own under this key: judge by hand")
    try:
        text: Any = connection.get("holdfast:writer")
        mark = json.loads(text or b"{}")
        if (mark.get("era"), mark.get("epoch"), mark.get("region")) != (*epoch, region):
            return GivenBack("refused", f"{region} is not the writer of epoch {epoch[0]}.{epoch[1]} any more")
        key, packed = base64.b64decode(entry["key_base64"]), base64.b64decode(entry["packed_base64"])
        expires = entry.get("expires_at_seconds")
        if expires is not None and float(expires) <= time.time():
            return GivenBack("refused", "it has expired since")
        until = 0 if expires is None else int(float(expires) * 1000)
        try:
            connection.restore(key, until, packed, absttl=expires is not None)
        except redis.ResponseError as error:
            if "BUSYKEY" not in str(error):
                return GivenBack("refused", str(error))
            same = connection.dump(key) == packed
            return GivenBack("already") if same else GivenBack("conflict", "the writer has its own under this key: judge by hand")
    except redis.RedisError as error:
        return GivenBack("unknown", str(error) or type(error).__name__)
    return GivenBack("applied")
