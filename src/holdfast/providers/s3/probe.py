"""Looking at a region's bucket: can it be read, and how far does copying lag behind the bucket that is written?

The bucket that is written gets a marker object with the time; the other is asked how old the marker is that has arrived there. Which one is
written stands in the buckets' own marks: the higher epoch counts. Markers are the only objects that it writes.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.plan.bindings import BucketBinding
from holdfast.ports.clock import Clock
from holdfast.providers.s3.bucket import MARKER_PREFIX, WRITER_KEY, Bucket, StorageRefusal

_BACKLOG_LIMIT = 10_000
_BACKLOG_EVERY = 10
"""Listing two buckets is dear: one look in so many counts what has not arrived, the others repeat it."""


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
        self._sequence = 0
        self._claims: dict[str, tuple[int, int, str]] = {}
        self._last_backlog: int | None = None

    def close(self) -> None:
        """Let go of connections and threads."""
        for bucket in self._buckets.values():
            bucket.close()

    async def observe(self) -> Observation:
        """One look. `silent` when this region's bucket does not answer in time; what its peer can't tell is left out of the facts."""
        at_seconds, started = self._clock.wall_seconds(), self._clock.steady_seconds()
        self._sequence += 1
        seen, detail, facts = Seen.UP, "", {}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                facts = await self._look(at_seconds)
        except StorageRefusal as error:
            seen, detail = Seen.DOWN, str(error)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = Seen.SILENT, str(error) or f"no answer within {self._timeout_seconds:g} s"
        return Observation(
            observer=self._observer,
            sequence=self._sequence,
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
        if arrived is not None:
            facts["copy_lag_seconds"] = max(0.0, now_seconds - float(arrived.body))
        if self._sequence % _BACKLOG_EVERY == 1:
            self._last_backlog = await self._backlog(written)
        return facts if self._last_backlog is None else {**facts, "backlog": self._last_backlog}

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

    async def _backlog(self, written: str) -> int | None:
        """How many objects the written bucket has that this one lacks; None when that can't be told quickly."""
        if written not in self._buckets:
            return None
        try:
            async with asyncio.timeout(self._timeout_seconds / 4):
                there, here = await asyncio.gather(
                    self._buckets[written].etags(_BACKLOG_LIMIT), self._buckets[self._region].etags(_BACKLOG_LIMIT)
                )
        except (StorageRefusal, TimeoutError, ConnectionError):
            return None
        return len(there.keys() - here.keys())
