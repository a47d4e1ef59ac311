"""One Deployment: what should run, what runs, and the next moves from one to the other.

`moves` is pure and decides; `Runner` carries out. A rolling update surges by one instance and takes an old one away only when enough are
ready, so that it never serves with fewer than it should. Scaling up starts everything at once. A Deployment that is paused (`spec.paused`)
is scaled but not rolled out, as `kubectl rollout pause` has it.
"""

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.lab.application.capacity import Capacity
from holdfast.lab.application.instance import DRAIN_SECONDS, InstanceSpecification
from holdfast.lab.cluster.forks import Forks
from holdfast.lab.cluster.objects import Object, image_of, image_version
from holdfast.providers.http.client import request

_SURGE = 1
_FIRST_LOOK_SECONDS = 0.05
_LOOK_SECONDS = 2.0
_LOOK_TIMEOUT_SECONDS = 1.0
_END_SECONDS = DRAIN_SECONDS + 3.0
_BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one instance may run. `seen_as`: its host as the cluster reaches it; `zone` is empty where there are none."""

    zone: str
    host: str
    seen_as: str
    port: int


@dataclass(slots=True)
class Running:
    """One instance, from its start to its end."""

    name: str
    image: str
    slot: Slot
    pid: int | None = None
    ready: bool = False
    ending: bool = False
    served: bool = False
    """Whether it was ever ready, so that a load balancer may have sent it something."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What to do next: how many to start, and which to end."""

    start: int
    end: tuple[Running, ...]


def moves(replicas: int, image: str, running: Sequence[Running]) -> Moves:
    """The next moves towards `replicas` instances of `image`, given those that run and are not ending."""
    alive = [instance for instance in running if not instance.ending]
    new = [instance for instance in alive if instance.image == image]
    old = [instance for instance in alive if instance.image != image]
    start = max(0, min(replicas - len(new), replicas + _SURGE - len(alive)))
    # Of too many, those that are not ready go first, then the youngest.
    ending = sorted(new, key=lambda instance: (instance.ready, -new.index(instance)))[: max(0, len(new) - replicas)]
    ready = sum(instance.ready for instance in alive if instance not in ending)
    for instance in sorted(old, key=lambda instance: instance.ready):
        if not instance.ready:
            ending.append(instance)
        elif ready > replicas or replicas == 0:
            ending.append(instance)
            ready -= 1
    return Moves(start, tuple(ending))


@dataclass(frozen=True, slots=True)
class Place:
    """Where instances of a Deployment run."""

    function: str
    region: str
    slots: tuple[Slot, ...]
    settings_file: Path
    capacity: Capacity
    routes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Zone → how addresses look from there."""

    def free_slot(self, running: Sequence[Running]) -> Slot | None:
        """The next slot, in the zone with the fewest instances; those that end still take their slot."""
        taken = {instance.slot for instance in running}
        crowd = Counter(instance.slot.zone for instance in running if not instance.ending)
        return min((slot for slot in self.slots if slot not in taken), key=lambda slot: crowd[slot.zone], default=None)


class Runner:
    """Keeps one Deployment running and its status true."""

    def __init__(self, deployment: Object, place: Place, forks: Forks, touched: Callable[[Object], None]) -> None:
        self.deployment = deployment
        self.running: list[Running] = []
        self.function = place.function
        self.slots = place.slots
        self.deleted = False
        self._image = image_of(deployment)
        self._place = place
        self._forks = forks
        self._touched = touched
        self.first_settled = asyncio.Event()
        self._changed = asyncio.Event()
        self._count = 0
        self._failures = 0
        self._not_before = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something changed: look again at once."""
        self._changed.set()

    async def run(self) -> None:
        """Reconcile whenever something changes, until cancelled."""
        try:
            while not (self.deleted and not self.running):
                self._changed.clear()
                self._reconcile()
                self._write_status()
                if self.settled():
                    self.first_settled.set()
                wait_seconds = max(0.0, self._not_before - time.monotonic()) if self._short() else None
                try:
                    async with asyncio.timeout(wait_seconds):
                        await self._changed.wait()
                except TimeoutError:
                    pass  # the pause after a failed start is over
        finally:
            for task in self._tasks:
                task.cancel()

    def exited(self, pid: int, status: int) -> bool:
        """One of the zygote's children ended; says whether it was this Deployment's."""
        for instance in self.running:
            if instance.pid == pid:
                self.running.remove(instance)
                if not instance.ending:
                    pause = _BACKOFF_SECONDS[min(self._failures, len(_BACKOFF_SECONDS) - 1)]
                    self._failures += 1
                    self._not_before = time.monotonic() + pause
                    print(f"{instance.name} ended with status {status}; the next starts in {pause:g} s", file=sys.stderr, flush=True)
                self.wake()
                return True
        return False

    def settled(self) -> bool:
        """Whether what should run does, and nothing else."""
        wanted, image = self.deployment["spec"]["replicas"], image_of(self.deployment)
        return len(self.running) == wanted and all(i.ready and i.image == image for i in self.running)

    @property
    def ready(self) -> int:
        """How many instances are ready."""
        return sum(instance.ready for instance in self.running if not instance.ending)

    def _short(self) -> bool:
        return self._moves().start > 0

    def _moves(self) -> Moves:
        if not self.deployment["spec"].get("paused"):
            self._image = image_of(self.deployment)
        return moves(0 if self.deleted else self.deployment["spec"]["replicas"], self._image, self.running)

    def _reconcile(self) -> None:
        next_moves = self._moves()
        for instance in next_moves.end:
            self._end(instance)
        if time.monotonic() < self._not_before:
            return
        for _ in range(next_moves.start):
            slot = self._place.free_slot(self.running)
            if slot is None:
                return  # every slot is taken, some by instances that end: their exit wakes this again
            self._start(self._image, slot)

    def _start(self, image: str, slot: Slot) -> None:
        self._count += 1
        place = self._place
        instance = Running(f"{self.deployment['metadata']['name']}-{self._count}", image, slot)
        self.running.append(instance)
        specification = InstanceSpecification(
            name=instance.name,
            function=place.function,
            region=place.region,
            version=image_version(image),
            host=slot.host,
            port=slot.port,
            settings_file=place.settings_file,
            capacity=place.capacity,
            zone=slot.zone,
            routes=dict(place.routes.get(slot.zone, {})),
        )

        def started(pid: int) -> None:
            instance.pid = pid
            if instance.ending:
                self._end(instance)
            self._background(self._watch(instance))

        self._forks.start(specification, started)

    def _end(self, instance: Running) -> None:
        instance.ending, instance.ready = True, False
        if instance.pid is not None:
            self._forks.end(instance.pid, signal.SIGTERM if instance.served else signal.SIGKILL)
            self._background(self._kill_late(instance, instance.pid))

    def _background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kill_late(self, instance: Running, pid: int) -> None:
        await asyncio.sleep(_END_SECONDS)
        if instance in self.running:
            self._forks.end(pid, signal.SIGKILL)

    async def _watch(self, instance: Running) -> None:
        """Ask an instance whether it is ready: often until it is, then now and then."""
        while self._is_alive(instance):
            ready = await self._is_ready(instance)
            if not self._is_alive(instance):
                return
            if ready != instance.ready:
                instance.ready, instance.served = ready, instance.served or ready
                self._failures = 0 if ready else self._failures
                self.wake()
            await asyncio.sleep(_LOOK_SECONDS if ready else _FIRST_LOOK_SECONDS)

    def _is_alive(self, instance: Running) -> bool:
        return instance in self.running and not instance.ending

    async def _is_ready(self, instance: Running) -> bool:
        host, port = instance.slot.seen_as, instance.slot.port
        try:
            answer = await request("GET", host, port, "/healthz", host_header=host, timeout_seconds=_LOOK_TIMEOUT_SECONDS)
        except (TimeoutError, ConnectionError):
            return False
        return answer.status == 200

    def _write_status(self) -> None:
        wanted, image = self.deployment["spec"]["replicas"], image_of(self.deployment)
        alive = [instance for instance in self.running if not instance.ending]
        ready = sum(instance.ready for instance in alive)
        status = {
            "observedGeneration": self.deployment["metadata"]["generation"],
            "replicas": len(alive),
            "updatedReplicas": sum(instance.image == image for instance in alive),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, wanted - ready),
            "conditions": [_condition("Available", ready >= wanted), _condition("Progressing", True)],
        }
        if status != self.deployment["status"]:
            self.deployment["status"] = status
            self._touched(self.deployment)


def _condition(kind: str, holds: bool) -> Object:
    return {"type": kind, "status": "True" if holds else "False"}
