"""Looking at a region's bucket: can it be read, and how far does copying lag behind the bucket that is written?

The bucket that is written gets a marker object with the time; the other is asked how old the marker is that has arrived there. Where the
copying keeps the order of writing, everything written before it is there too. Beside the looks both buckets' lists are compared now and
then: how many objects and bytes wait to be copied, and since when the oldest does. Where the copying keeps no order, or was seen to
break it, that is what the lag is taken from. Which bucket is written stands in the buckets' own marks: the higher epoch counts. Markers are
the only objects that it writes.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.plan.bindings import BucketBinding
from holdfast.ports.clock import Clock
from holdfast.providers.s3.backlog import Backlog, compare
from holdfast.providers.s3.bucket import MARKER_PREFIX, WRITER_KEY, Bucket, SecretUnreadable, StorageRefusal

COMPARED_OBJECTS = 100_000
"""In a bucket with more, the backlog is not counted: a part of a list would understate it."""
_COMPARE_EVERY_SECONDS = 10.0
_COMPARE_SHARE = 20
"""Reading two lists is dear: at most one part in so many of the time goes into it."""
_COMPARE_LIMIT_SECONDS = 60.0
_ORDER_TOLERANCE_SECONDS = 2.0
"""An object that has not arrived and is this much older than a marker that has: the copying does not keep the order."""


class BucketProbe:
    """One region's bucket, from one site. `bindings` holds the peers too: which of them is written is part of the question."""

    def __init__(
        self, observer: str, component: str, region: str, bindings: Mapping[str, BucketBinding], clock: Clock, *, timeout_seconds: float
    ) -> None:
        self._observer = observer
        self._component = component
        self._region = region
        self._buckets = {name: Bucket(binding, timeout_seconds=timeout_seconds) for name, binding in bindings.items()}
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._claims: dict[str, tuple[int, int, str]] = {}
        self._bindings = bindings
        self._compared_for: tuple[int, int, str] | None = None
        self._backlog: Backlog | None = None
        self._out_of_order = False
        self._comparing: asyncio.Task[Backlog | None] | None = None
        self._marker_before: float | None = None
        self._compare_not_before = 0.0
        self._backlog_unknown = ""

    def close(self) -> None:
        """Let go of connections and threads."""
        if self._comparing is not None:
            self._comparing.cancel()
        for bucket in self._buckets.values():
            bucket.close()

    async def observe(self) -> Observation:
        """One look. `silent` when this region's bucket does not answer in time; what its peer can't tell is left out of the facts."""
        at_seconds, started = self._clock.wall_seconds(), self._clock.steady_seconds()
        seen, detail, facts = Seen.UP, "", {}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                facts = await self._look(at_seconds)
        except SecretUnreadable:
            raise  # a fault of this observer's, not of the bucket
        except StorageRefusal as error:
            seen, detail = Seen.DOWN, str(error)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = Seen.SILENT, str(error) or f"no answer within {self._timeout_seconds:g} s"
        return Observation(
            observer=self._observer,
            sequence=0,
            at_seconds=at_seconds,
            region=self._region,
            subject=Subject.BUCKET,
            name=self._component,
            seen=seen,
            latency_seconds=self._clock.steady_seconds() - started,
            detail=detail,
            facts=facts,
        )

    async def _look(self, now_seconds: float) -> dict[str, Any]:
        """Facts of this region's bucket. Its own silence raises; a peer's silence does not."""
        peers = [name for name in self._buckets if name != self._region]
        looks = [asyncio.create_task(self._claim(name)) for name in peers]
        try:
            await self._claim(self._region)
            # A peer gets half the time: behind a cut link it would use up all of it, and this region's answer with it.
            if looks:
                await asyncio.wait(looks, timeout=self._timeout_seconds / 2)
        finally:
            for look in looks:
                look.cancel()
        era, epoch, written = max(self._claims.values(), default=(0, 0, ""))
        facts: dict[str, Any] = {"writer": written, "epoch": epoch, "era": era, "role": "primary" if written == self._region else "replica"}
        if written == self._region:
            await self._buckets[written].put(f"{MARKER_PREFIX}{written}", f"{now_seconds:.6f}".encode())
            return facts
        arrived = await self._buckets[self._region].get(f"{MARKER_PREFIX}{written}")
        marker_seconds = float(arrived.body) if arrived is not None else None
        self._follow_comparison((era, epoch, written), marker_seconds)
        complete_until = self._complete_until(marker_seconds)
        if complete_until is not None:
            facts["copy_lag_seconds"] = max(0.0, now_seconds - complete_until)
        return facts | self._backlog_facts(now_seconds)

    def _complete_until(self, marker_seconds: float | None) -> float | None:
        """Until when everything written has arrived here; None when nothing says so."""
        if self._out_of_order or self._bindings[self._region].copied == "any-order":
            return None if self._backlog is None else self._backlog.complete_until_seconds
        return marker_seconds

    def _backlog_facts(self, now_seconds: float) -> dict[str, Any]:
        found = self._backlog
        if found is None:
            return {"backlog_unknown": self._backlog_unknown} if self._backlog_unknown else {}
        return {
            "backlog": found.objects,
            "backlog_bytes": found.size_bytes,
            "oldest_uncopied_seconds": 0.0 if found.oldest_seconds is None else max(0.0, now_seconds - found.oldest_seconds),
            "backlog_age_seconds": max(0.0, now_seconds - found.at_seconds),
        }

    def _follow_comparison(self, written: tuple[int, int, str], marker_seconds: float | None) -> None:
        """Take over what a comparison found, and begin the next one in its time. A look never waits for it."""
        if written != self._compared_for:  # copying has turned round: what was found belongs to the other direction
            self._compared_for, self._backlog, self._out_of_order, self._compare_not_before = written, None, False, 0.0
            if self._comparing is not None:
                self._comparing.cancel()
            self._comparing = None
        if self._comparing is not None and self._comparing.done():
            found = None if self._comparing.cancelled() else self._comparing.result()
            self._comparing = None
            if found is not None:
                self._backlog, self._out_of_order = found, _breaks_order(found, self._marker_before)
        if self._comparing is None and written[2] in self._buckets and self._clock.steady_seconds() >= self._compare_not_before:
            self._marker_before = marker_seconds
            self._comparing = asyncio.create_task(self._compare(written[2]))

    async def _claim(self, region: str) -> None:
        """Learn who a bucket says is written; a silent peer keeps what it last said."""
        try:
            mark = await self._buckets[region].get(WRITER_KEY)
        except (StorageRefusal, TimeoutError, ConnectionError):
            if region == self._region:
                raise
            return
        if mark is not None:
            value = mark.json()
            self._claims[region] = (int(value["era"]), int(value["epoch"]), str(value["region"]))

    async def _compare(self, written: str) -> Backlog | None:
        """What has not arrived here; None when that can't be told, and why in `_backlog_unknown`."""
        started = self._clock.steady_seconds()
        at_seconds, limit = self._clock.wall_seconds(), COMPARED_OBJECTS + 1
        # The copy is read last: what is written meanwhile doesn't look uncopied only because its copy came after the list.
        try:
            async with asyncio.timeout(_COMPARE_LIMIT_SECONDS):
                there = await self._buckets[written].entries(limit)
                here = await self._buckets[self._region].entries(limit)
        except (StorageRefusal, TimeoutError, ConnectionError) as error:
            self._backlog_unknown = str(error) or f"the lists were not read within {_COMPARE_LIMIT_SECONDS:g} s"
            return None
        finally:
            took = self._clock.steady_seconds() - started
            self._compare_not_before = self._clock.steady_seconds() + max(_COMPARE_EVERY_SECONDS, _COMPARE_SHARE * took)
        if max(len(there), len(here)) > COMPARED_OBJECTS:
            self._backlog_unknown = f"more than {COMPARED_OBJECTS:,} objects are not compared: use the storage's own metric"
            return None
        self._backlog_unknown = ""
        return compare(there, here, at_seconds)


def _breaks_order(found: Backlog, marker_before_seconds: float | None) -> bool:
    """Whether something older is missing than a marker that had arrived before the lists were read."""
    if found.oldest_seconds is None or marker_before_seconds is None:
        return False
    return found.oldest_seconds < marker_before_seconds - _ORDER_TOLERANCE_SECONDS
