"""Which objects only the lost region's bucket holds, or holds otherwise, before the two buckets are brought together.

A bucket is not fenced and nothing in it is overwritten (reconciling keeps what it supersedes), so the bytes stay where they are; the export
says which objects, whose, and where. Never here: copying.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.plan.bindings import BucketBinding
from holdfast.ports.action import Task
from holdfast.ports.divergence import Exported, ExportedPart, NotExported
from holdfast.providers.s3.bucket import OWN_PREFIX, Bucket, StorageRefusal, Stored
from holdfast.providers.s3.reconcile import EPOCH_METADATA, WRITTEN_METADATA

_AT_ONCE = 8
_MOST_LOOKED_AT = 2000
"""Objects whose own marks are read one by one; of more, only the listing is given."""
_FILE = "objects.jsonl"


class BucketExport:
    """Implements `DivergenceSource` for the bucket of the source region."""

    def __init__(self, bindings: Mapping[str, BucketBinding], *, timeout_seconds: float = 10.0) -> None:
        self._bindings = bindings
        self._buckets = {region: Bucket(binding, timeout_seconds=timeout_seconds) for region, binding in bindings.items()}

    async def collect(self, task: Task, into: Path) -> Exported:
        """List both, and look at each object that they don't have alike."""
        if task.parameters.get("source_position"):
            return Exported("handed-over")
        absent = {task.source, task.target} - self._buckets.keys()
        if absent:
            raise NotExported(f"the bindings name no bucket in {', '.join(sorted(absent))}")
        source, target = self._buckets[task.source], self._buckets[task.target]
        try:
            mine, theirs = await asyncio.gather(source.etags(), target.etags())
            mine = {key: etag for key, etag in mine.items() if not key.startswith(OWN_PREFIX)}
            keys = sorted(key for key, etag in mine.items() if theirs.get(key) != etag)
            marks = await self._marks(source, keys[:_MOST_LOOKED_AT])
        except StorageRefusal as refusal:
            raise NotExported(str(refusal)) from refusal
        place = {"region": task.source, "bucket": self._bindings[task.source].bucket, "endpoint": self._bindings[task.source].endpoint}
        lines = [_line(key, mine[key], theirs.get(key), marks.get(key), place) for key in keys]
        # Every object is listed all the same: what is left out is who wrote it, and when.
        notes = (f"only the first {_MOST_LOOKED_AT} of {len(keys)} objects were looked at one by one",) if len(keys) > len(marks) else ()
        only_here = sum(key not in theirs for key in keys)
        part = _written(into, lines, only_here, len(keys) - only_here, len(mine) - len(keys))
        return Exported("compared", (part,), notes=notes, looked_at=True)

    async def _marks(self, bucket: Bucket, keys: list[str]) -> dict[str, Stored | None]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(key: str) -> tuple[str, Stored | None]:
            async with gate:
                return key, await bucket.head(key)

        return dict(await asyncio.gather(*(look(key) for key in keys)))


def _line(key: str, etag: str, other: str | None, marks: Stored | None, place: Mapping[str, str]) -> str:
    here: dict[str, Any] = {"etag": etag, **place}
    if marks is not None:
        here |= {"epoch": marks.metadata.get(EPOCH_METADATA), "written": marks.metadata.get(WRITTEN_METADATA)}
    entry = {
        "id": key,
        "change": "only-here" if other is None else "differs",
        "here": here,
        "there": None if other is None else {"etag": other},
    }
    return json.dumps(entry, ensure_ascii=False)


def _written(into: Path, lines: list[str], only_here: int, differs: int, same: int) -> ExportedPart:
    content = "".join(f"{line}\n" for line in lines).encode()
    into.mkdir(parents=True, exist_ok=True)
    with (into / _FILE).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return ExportedPart("objects", _FILE, len(content), hashlib.sha256(content).hexdigest(), only_here, differs, 0, same)
