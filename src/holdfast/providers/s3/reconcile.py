"""Bringing two regions' buckets together: block `bucket.reconcile`.

What either bucket has and the other lacks is copied; where both have an object that differs, the one written under the newer epoch
wins (then the later one), and the other is kept: in a bucket with versions as the older version that it becomes, in one without
beside it as `holdfast/superseded/<key>/<etag>`. Nothing is ever deleted. An object lock goes with its object, and a bucket that takes
none is refused: a copy without its retention would be less than what was promised. Marks of a bucket itself (`holdfast/…`) are left alone.
Safe to repeat and to break off anywhere: each object is copied whole.

Clients go on writing meanwhile, and the storage's own copying may be behind: what is proved is that everything that `act` found lacking
is on both sides alike. A proof without an act before it (a controller that took over) asks that of every object. It goes through the
objects backwards, because the storage's own copying goes forwards: side by side they meet in the middle.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from holdfast.plan.bindings import BucketBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.s3.bucket import NOT_HELD, OWN_PREFIX, Bucket, StorageRefusal, Stored

SUPERSEDED_PREFIX = "holdfast/superseded/"
EPOCH_METADATA = "epoch"
WRITTEN_METADATA = "written"
_AT_ONCE = 8
_SETTLE_SECONDS = 3.0
"""How long an object may be on its way by the storage's own copying before it counts as lacking."""
_LOOK_AGAIN_SECONDS = 1.0
_FEW = 20
"""So few objects are left to the storage's own copying."""
_STANDS_STILL = 0.8
"""The storage's own copying is not waited for when after a second more than this share is left."""
_TRIES = 4
_TRY_AGAIN_SECONDS = 0.5
"""One object's silence is no reason to leave the others: a storage that has just come back is busy with its own copying."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Keys that only one side has, and keys whose objects differ."""

    only_source: frozenset[str]
    only_target: frozenset[str]
    different: frozenset[str]

    @property
    def count(self) -> int:
        """How many objects are not on both sides alike."""
        return len(self.only_source) + len(self.only_target) + len(self.different)

    def common(self, other: "Difference") -> "Difference":
        """What differs in both looks."""
        return Difference(self.only_source & other.only_source, self.only_target & other.only_target, self.different & other.different)

    @property
    def keys(self) -> frozenset[str]:
        """Everything that is not on both sides alike."""
        return self.only_source | self.only_target | self.different

    def among(self, keys: frozenset[str]) -> "Difference":
        """What differs of these."""
        return Difference(self.only_source & keys, self.only_target & keys, self.different & keys)


@dataclass
class Copied:
    """What was copied so far."""

    to_target: int = 0
    to_source: int = 0
    superseded: list[str] = field(default_factory=list)


class BucketReconcileAction:
    """Brings the buckets of `task.source` and `task.target` together."""

    def __init__(self, bindings: Mapping[str, BucketBinding], *, timeout_seconds: float = 10.0) -> None:
        self._buckets = {region: Bucket(binding, timeout_seconds=timeout_seconds) for region, binding in bindings.items()}
        self._found_lacking: dict[str, frozenset[str]] = {}

    def close(self) -> None:
        """Let go of connections and threads."""
        for bucket in self._buckets.values():
            bucket.close()

    async def check(self, task: Task) -> Finding:
        """Whether both buckets hold the same."""
        try:
            return _finding(await self._difference(task))
        except (StorageRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))

    async def act(self, task: Task) -> Outcome:
        """Copy both ways."""
        copied, broken = Copied(), None
        found: frozenset[str] = frozenset()
        try:
            left = await self._difference(task)
            source, target = [await _side(bucket) for bucket in self._pair(task)]
            self._found_lacking[task.step] = found = left.keys
            left = await self._copied_by_itself(task, left)
            while True:
                found |= left.keys
                self._found_lacking[task.step] = found
                await _copy(left, source, target, copied)
                # While clients write, each round is shorter than the last; what is left to the next run is an outage's length.
                before, left = left.count, await self._difference(task)
                if left.count <= _FEW or left.count > before / 2:
                    break
        except* StorageRefusal as errors:
            broken = Outcome(Result.FAILED, str(errors.exceptions[0]), _facts(copied))
        except* (TimeoutError, ConnectionError) as errors:
            broken = Outcome(Result.UNKNOWN, f"{errors.exceptions[0]}: not everything was copied", _facts(copied))
        if broken is not None:
            return broken
        moved = f"{copied.to_target} objects copied to {task.target}, {copied.to_source} to {task.source}"
        return Outcome(Result.SUCCEEDED, f"{moved}, {len(copied.superseded)} superseded, none deleted", _facts(copied))

    async def _copied_by_itself(self, task: Task, left: Difference) -> Difference:
        """Let the storage's own copying go on for as long as it visibly does: it is cheaper, and two that copy the same are both slower."""
        while left.count > _FEW:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            before, left = left.count, await self._difference(task)
            if left.count > before * _STANDS_STILL:
                break
        return left

    async def verify(self, task: Task) -> Finding:
        """Whether both hold the same, but for what the storage's own copying has under way."""
        try:
            left, looks = await self._difference(task), int(_SETTLE_SECONDS / _LOOK_AGAIN_SECONDS)
            if task.step in self._found_lacking:
                left = left.among(self._found_lacking[task.step])
            while left.count and looks:
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                left, looks = left.common(await self._difference(task)), looks - 1
            return _finding(left)
        except (StorageRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))

    def _pair(self, task: Task) -> tuple[Bucket, Bucket]:
        absent = {task.source, task.target} - self._buckets.keys()
        if absent:
            raise StorageRefusal(f"the bindings name no bucket in {', '.join(sorted(absent))}; nothing was changed")
        return self._buckets[task.source], self._buckets[task.target]

    async def _difference(self, task: Task) -> Difference:
        source, target = await asyncio.gather(*(bucket.etags() for bucket in self._pair(task)))
        here = {key: etag for key, etag in source.items() if not key.startswith(OWN_PREFIX)}
        there = {key: etag for key, etag in target.items() if not key.startswith(OWN_PREFIX)}
        different = frozenset(key for key in here.keys() & there.keys() if here[key] != there[key])
        return Difference(frozenset(here.keys() - there.keys()), frozenset(there.keys() - here.keys()), different)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two buckets, and what it can do."""

    bucket: Bucket
    keeps_versions: bool
    takes_locks: bool


async def _side(bucket: Bucket) -> _Side:
    """Whoever may not ask keeps superseded objects aside, which is never wrong, and copies nothing that is under a lock."""
    return _Side(bucket, await _allowed(bucket.keeps_versions), await _allowed(bucket.takes_locks))


async def _allowed(ask: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await ask()
    except StorageRefusal:
        return False


async def _copy(difference: Difference, source: _Side, target: _Side, copied: Copied) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for key in sorted(difference.keys, reverse=True):
            sides = _Sides(source, target, key not in difference.only_target, key not in difference.only_source)
            group.create_task(_patiently(key, sides, copied, gate))


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both buckets, and which of them is known to hold the object: the other isn't asked for what it lacks."""

    source: _Side
    target: _Side
    in_source: bool
    in_target: bool


async def _patiently(key: str, sides: _Sides, copied: Copied, gate: asyncio.Semaphore) -> None:
    async with gate:
        for left in reversed(range(_TRIES)):
            try:
                await _bring_together(key, sides, copied)
                return
            except (TimeoutError, ConnectionError):
                if not left:
                    raise
                await asyncio.sleep(_TRY_AGAIN_SECONDS)


async def _bring_together(key: str, sides: _Sides, copied: Copied) -> None:
    source, target = sides.source, sides.target
    here = await source.bucket.get_with_lock(key) if sides.in_source else None
    there = await target.bucket.get_with_lock(key) if sides.in_target else None
    if here is None and there is None:
        return  # deleted meanwhile by whoever owns it
    if here is not None and there is not None and here.body == there.body:
        return
    if there is None or (here is not None and _age(here) > _age(there)):
        assert here is not None
        await _overwrite(key, there, here, target, copied)
        copied.to_target += 1
    else:
        await _overwrite(key, here, there, source, copied)
        copied.to_source += 1


async def _overwrite(key: str, loser: Stored | None, winner: Stored, side: _Side, copied: Copied) -> None:
    if winner.retention is not NOT_HELD and not side.takes_locks:
        # Asked before, not told by a refused write: a server was seen to keep the object and to refuse only its lock.
        raise StorageRefusal(
            f"{side.bucket.place} takes no object lock (or can't be asked), and {key} is kept under one: it was not copied without it. "
            "Make the bucket with object lock, or correct the bindings"
        )
    kept_as = f"{key}?versionId={loser.version}" if loser is not None else ""
    if loser is not None and not side.keeps_versions:
        kept_as = f"{SUPERSEDED_PREFIX}{key}/{loser.etag.strip(chr(34))}"
        await side.bucket.put(kept_as, loser.body, loser.metadata, loser.retention)
    await side.bucket.put(key, winner.body, winner.metadata, winner.retention)
    if loser is not None:
        copied.superseded.append(kept_as)


def _age(stored: Stored) -> tuple[int, float, float]:
    """What is compared when both sides differ: the epoch it was written under, then the writer's clock, then the storage's."""
    try:
        epoch, written = int(stored.metadata.get(EPOCH_METADATA, "0")), float(stored.metadata.get(WRITTEN_METADATA, "0"))
    except ValueError:
        epoch, written = 0, 0.0
    return epoch, written, stored.modified_seconds


def _finding(difference: Difference) -> Finding:
    facts = {
        "only_source": len(difference.only_source),
        "only_target": len(difference.only_target),
        "different": len(difference.different),
    }
    if not difference.count:
        return Finding(Answer.YES, "both buckets hold the same", facts)
    example = min(difference.keys)
    return Finding(Answer.NO, f"{difference.count} objects are not on both sides alike, such as {example}", facts)


def _facts(copied: Copied) -> dict[str, object]:
    return {"copied_to_target": copied.to_target, "copied_to_source": copied.to_source, "superseded": list(copied.superseded)}
