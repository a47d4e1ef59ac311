"""Making the target region's bucket the one that is written, and turning its copying round: block `bucket.activate`.

The mark `holdfast/writer.json` in the bucket itself says who writes; it carries the order obeyed as metadata. It is compared and then
written on condition that it is still the one that was compared, so a lower order is refused by the bucket's own state. Then
`holdfast/replication.json` names the side that is copied from, and the copying turns round when it reads that.
Rules: the two marks are each bucket's own and never copied. A bucket has no fence: what the old side's clients still write there is
brought over by `bucket.reconcile`, and the docs say so. A copy that lacks more than people approved is not activated: the newest marker of
the source that has arrived in it says until when it is complete. Never here: deleting.
"""

import json
from collections.abc import Mapping
from typing import Any

from holdfast.fencing.order import Order
from holdfast.plan.bindings import BucketBinding
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.ports.clock import Clock
from holdfast.providers.s3.bucket import MARKER_PREFIX, REPLICATION_KEY, WRITER_KEY, Bucket, Changed, StorageRefusal, Stored

ORDER_METADATA = "holdfast-order"
CLOCK_SECONDS = 0.2
"""As far as clocks may be apart before a loss counts as larger than approved."""
_ROUNDS = 4


class HigherOrder(Exception):
    """The bucket belongs to a later activation."""


class BucketActivateAction:
    """Activates the bucket of `task.target`."""

    def __init__(self, bindings: Mapping[str, BucketBinding], clock: Clock, *, timeout_seconds: float = 3.0) -> None:
        self._buckets = {region: Bucket(binding, timeout_seconds=timeout_seconds) for region, binding in bindings.items()}
        self._bindings = bindings
        self._clock = clock
        for bucket in self._buckets.values():
            bucket.prepare()

    def close(self) -> None:
        """Let go of connections and threads."""
        for bucket in self._buckets.values():
            bucket.close()

    async def check(self, task: Task) -> Finding:
        """Whether both marks in the target's bucket name the target, under this activation."""
        try:
            bucket = self._bucket(task.target)
            writer, replication = _json_of(await bucket.get(WRITER_KEY)), _json_of(await bucket.get(REPLICATION_KEY))
        except (StorageRefusal, TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        facts = {"writer": writer, "replication": replication}
        if (writer.get("era"), writer.get("epoch"), writer.get("region")) != (task.order.era, task.order.epoch, task.target):
            return Finding(Answer.NO, f"{bucket.place} is written by {writer.get('region')} under epoch {writer.get('epoch')}", facts)
        if (replication.get("from"), replication.get("epoch")) != (task.target, task.order.epoch):
            return Finding(Answer.NO, f"{bucket.place} is copied from {replication.get('from')}, not from {task.target}", facts)
        return Finding(Answer.YES, f"{bucket.place} is written, under epoch {task.order.epoch}, and copied from", facts)

    async def act(self, task: Task) -> Outcome:
        """Write both marks, each on condition that it is still what was compared."""
        era, epoch = task.order.era, task.order.epoch
        try:
            bucket = self._bucket(task.target)
            too_much = await self._lacks_too_much(bucket, task)
            if too_much is not None:
                return too_much
            await self._mark(bucket, WRITER_KEY, task, {"era": era, "epoch": epoch, "region": task.target})
            await self._mark(bucket, REPLICATION_KEY, task, {"from": task.target, "epoch": epoch})
        except HigherOrder as error:
            return Outcome(Result.REFUSED, str(error))
        except StorageRefusal as error:
            return Outcome(Result.FAILED, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Outcome(Result.UNKNOWN, f"{error}: it may or may not have happened")
        return Outcome(Result.SUCCEEDED, f"{bucket.place} is written under epoch {epoch}", {"highest_order": task.order.as_list()})

    async def verify(self, task: Task) -> Finding:
        """Whether the marks stand and an object can be written and read back."""
        marked = await self.check(task)
        if marked.answer is not Answer.YES:
            return marked
        bucket = self._buckets[task.target]
        key, body = f"{MARKER_PREFIX}{task.target}", f"{self._clock.wall_seconds():.6f}".encode()
        try:
            await bucket.put(key, body)
            back = await bucket.get(key)
        except StorageRefusal as error:
            return Finding(Answer.NO, str(error))
        except (TimeoutError, ConnectionError) as error:
            return Finding(Answer.UNKNOWN, str(error))
        if back is None:
            return Finding(Answer.NO, f"{bucket.place}: an object that was written can't be read back")
        return Finding(Answer.YES, f"{marked.detail}; an object was written and read back", marked.facts)

    async def _lacks_too_much(self, bucket: Bucket, task: Task) -> Outcome | None:
        """Refused when the copy ends earlier before the source's stop than people approved. Where the copying keeps no order a marker
        proves nothing, so nothing can be refused by it."""
        promised = task.parameters.get("promised") or {}
        if not promised or self._bindings[task.target].copied == "any-order":
            return None
        arrived = await bucket.get(f"{MARKER_PREFIX}{task.source}")
        try:
            newest = None if arrived is None else float(arrived.body)
        except ValueError:
            newest = None
        bound = float(promised["loss_bound_seconds"])
        if newest is None:
            detail = f"no marker of {task.source} has arrived in {bucket.place}: what the copy lacks is not known, so it was not activated"
            return Outcome(Result.REFUSED, detail)
        lost = max(0.0, float(promised["stopped_seconds"]) - newest)
        if lost <= bound + CLOCK_SECONDS:
            return None
        detail = (
            f"the copy in {bucket.place} is complete until {lost:.1f} s before {task.source} stopped; people approved a loss of at most "
            f"{bound:.1f} s, so it was not activated"
        )
        return Outcome(Result.REFUSED, detail, {"would_lose_seconds": round(lost, 3), "approved_seconds": bound})

    async def _mark(self, bucket: Bucket, key: str, task: Task, value: dict[str, Any]) -> None:
        for _ in range(_ROUNDS):
            seen = await bucket.get(key)
            _compare(bucket, key, seen, task)
            try:
                await bucket.put_if_unchanged(key, json.dumps(value).encode(), {ORDER_METADATA: task.order.as_text()}, seen)
            except Changed:
                continue
            return
        raise StorageRefusal(f"{bucket.place}: somebody else changes {key} all the time: find out who, and stop one of the two")

    def _bucket(self, region: str) -> Bucket:
        if region not in self._buckets:
            raise StorageRefusal(f"the bindings name no bucket in {region}; nothing was changed")
        return self._buckets[region]


def _json_of(stored: Stored | None) -> dict[str, Any]:
    return stored.json() if stored is not None else {}


def _compare(bucket: Bucket, key: str, seen: Stored | None, task: Task) -> None:
    """Raises HigherOrder when the mark belongs to a later activation, or to another region's under the same epoch."""
    if seen is None:
        return
    value = seen.json()
    try:
        era, epoch = int(value.get("era", task.order.era)), int(value["epoch"])
        order = Order.from_text(seen.metadata[ORDER_METADATA]) if ORDER_METADATA in seen.metadata else None
    except (KeyError, ValueError, TypeError) as error:
        raise StorageRefusal(f"{bucket.place}: {key} can't be understood ({error!r}); look who wrote it, and restore it") from error
    holder = value.get("region", value.get("from"))
    mine = (task.order.era, task.order.epoch)
    if (era, epoch) > mine or ((era, epoch) == mine and holder != task.target):
        raise HigherOrder(f"{bucket.place} belongs to {holder} under era {era}, epoch {epoch}; order {task.order.as_text()} is lower")
    if order is not None and order > task.order:
        raise HigherOrder(f"{bucket.place} has obeyed order {order.as_text()} already, {task.order.as_text()} is lower")
