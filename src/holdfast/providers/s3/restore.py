"""Bringing back from a bucket's own versions what was deleted there: block `bucket.restore`.

Where versions are kept a deletion only hides an object: the newest real version is written again as the newest one. Nothing
is deleted, not even the sign of the deletion: what happened stays to be seen. A bucket without versions has nothing to restore from,
and says so. Never here: telling a wished deletion from an unwished one (whoever chooses this way does), and what never arrived here.
"""

import asyncio
from collections.abc import Mapping

from holdfast.plan.bindings import BucketBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.s3.bucket import Bucket, StorageRefusal

_AT_ONCE = 8
_NAMED = 5


class BucketRestoreAction:
    """Restores the bucket of `task.target`."""

    def __init__(self, bindings: Mapping[str, BucketBinding], *, timeout_seconds: float = 3.0) -> None:
        self._buckets = {region: Bucket(binding, timeout_seconds=timeout_seconds) for region, binding in bindings.items()}

    def close(self) -> None:
        """Let go of connections and threads."""
        for bucket in self._buckets.values():
            bucket.close()

    async def check(self, task: Task) -> Finding:
        """Whether nothing is hidden by a deletion."""
        try:
            bucket = self._bucket(task.target)
            hidden = await bucket.deleted()
        except (StorageRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        facts = {"deleted": len(hidden)}
        if hidden:
            return Finding(Answer.NO, f"{bucket.place}: {len(hidden)} objects are hidden by a deletion, such as {min(hidden)}", facts)
        return Finding(Answer.YES, f"{bucket.place}: no object is hidden by a deletion", facts)

    async def act(self, task: Task) -> Outcome:
        """Write the newest real version of each hidden object again."""
        try:
            bucket = self._bucket(task.target)
            if not await bucket.keeps_versions():
                return Outcome(Result.FAILED, f"{bucket.place} keeps no versions: there is nothing to restore from")
            hidden = await bucket.deleted()
            gate = asyncio.Semaphore(_AT_ONCE)

            async def bring_back(key: str, version: str) -> None:
                async with gate:
                    await bucket.put_version_again(key, version)

            await asyncio.gather(*(bring_back(key, version) for key, version in hidden.items()))
        except StorageRefusal as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: some objects may be back; what is left is brought back by another attempt")
        return Outcome(Result.SUCCEEDED, f"{bucket.place}: {len(hidden)} objects are back", {"restored": sorted(hidden)[:_NAMED]})

    async def verify(self, task: Task) -> Finding:
        """The same question as `check`."""
        return await self.check(task)

    def _bucket(self, region: str) -> Bucket:
        if region not in self._buckets:
            raise StorageRefusal(f"the bindings name no bucket in {region}; nothing was changed")
        return self._buckets[region]
