"""Simulated observers: each looks at everything from its own site at the plan's probe interval, and the controller may fetch what it saw.

What they see follows from the world alone. A look over a cut link is *silent*, and so is the observer itself when the
controller can't reach it. Nothing is judged here.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.ledger.entry import RequestResult
from holdfast.simulation.region import SimulatedRegion
from holdfast.simulation.stores import LogStore, StoreRole
from holdfast.simulation.world import DNS, SILENCE_SECONDS, SimulatedWorld

_LATENCY_SECONDS = 0.01
_SEEN = {RequestResult.ACKNOWLEDGED: Seen.UP, RequestResult.REFUSED: Seen.DOWN, RequestResult.UNKNOWN: Seen.SILENT}
AGENT_NAME = "agent"


@dataclass(frozen=True, slots=True)
class Look:
    """One look before it gets its place and time."""

    region: str
    subject: Subject
    name: str
    seen: Seen
    latency_seconds: float = _LATENCY_SECONDS
    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


class SimulatedObserver:
    """An ObservationSource, and the observer behind it. Call `run` as a task."""

    def __init__(self, world: SimulatedWorld, site: str) -> None:
        self.site = site
        self.alive = True
        self._world = world
        self._seen: list[Observation] = []
        self._sequence = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if self.alive:
                self.look()
            await self._world.clock.sleep(self._world.profile.probe_every)

    def look(self) -> None:
        """One round of looks at everything."""
        at_seconds = self._world.clock.wall_seconds()
        for look in self._looks():
            self._sequence += 1
            self._seen.append(
                Observation(
                    self.site,
                    self._sequence,
                    at_seconds,
                    look.region,
                    look.subject,
                    look.name,
                    look.seen,
                    look.latency_seconds,
                    look.detail,
                    look.facts,
                )
            )
        del self._seen[:-2000]  # an observer remembers a while, not for ever

    async def since(self, sequence: int) -> Sequence[Observation]:
        """What it saw after that. Raises TimeoutError when it can't be reached."""
        world = self._world
        if not self.alive or not world.links.answers(world.plan.witness, self.site):
            await world.clock.sleep(SILENCE_SECONDS)
            raise TimeoutError(f"the observer at {self.site} does not answer")
        await asyncio.sleep(0)
        return self._seen[bisect_right(self._seen, sequence, key=lambda observation: observation.sequence) :]

    def _looks(self) -> Iterator[Look]:
        for function in self._world.plan.functions:
            yield self._transaction(function)
            yield self._name(function)
        for region in self._world.regions.values():
            if self._world.links.answers(self.site, region.name):
                yield from self._answering(region)
            else:
                yield from self._silent(region)

    def _transaction(self, function: str) -> Look:
        served = self._world.request(self.site, function, f"probe-{self.site}-{function}-{self._sequence}")
        facts = {} if served.result is RequestResult.UNKNOWN else {"status": 200 if served.result is RequestResult.ACKNOWLEDGED else 503}
        return Look(served.region, Subject.TRANSACTION, function, _SEEN[served.result], served.latency_seconds, served.detail, facts)

    def _name(self, function: str) -> Look:
        world = self._world
        if not world.answers(self.site, DNS):
            return Look("", Subject.DNS, function, Seen.SILENT, SILENCE_SECONDS, "no answer")
        region = world.dns[function]
        return Look(region, Subject.DNS, function, Seen.UP, facts={"addresses": [region]})

    def _silent(self, region: SimulatedRegion) -> Iterator[Look]:
        for subject, name in self._things():
            yield self._nothing(region, subject, name)
        for zone in self._world.plan.regions[region.name].zones:
            yield self._nothing(region, Subject.ZONE, zone)

    def _nothing(self, region: SimulatedRegion, subject: Subject, name: str) -> Look:
        return Look(region.name, subject, name, Seen.SILENT, SILENCE_SECONDS, "no answer")

    def _zones(self, region: SimulatedRegion) -> Iterator[Look]:
        world = self._world
        for zone in world.plan.regions[region.name].zones:
            if not world.links.reaches_zone(zone):
                yield self._nothing(region, Subject.ZONE, zone)
                continue
            if region.runs_nothing:
                yield Look(region.name, Subject.ZONE, zone, Seen.DOWN, detail="answered 503: no instance there is ready")
                continue
            instances = {function: world.instances(region.name, function)[zone] for function in world.plan.functions}
            yield Look(region.name, Subject.ZONE, zone, Seen.UP, facts={"instances": instances})

    def _things(self) -> list[tuple[Subject, str]]:
        world = self._world
        kinds = ((Subject.POSTGRES, "postgres"), (Subject.REDIS, "redis"), (Subject.BUCKET, "bucket"), (Subject.HTTP, "loadbalancer"))
        return [*((subject, world.component(kind)) for subject, kind in kinds), (Subject.AGENT, AGENT_NAME)]

    def _answering(self, region: SimulatedRegion) -> Iterator[Look]:
        world = self._world
        linked = world.stores_linked(region.name)
        for subject, kind in ((Subject.POSTGRES, "postgres"), (Subject.REDIS, "redis")):
            name = world.component(kind)
            yield self._store(region, region.store_of(kind), subject, name) if linked else self._nothing(region, subject, name)
        yield self._bucket(region)
        serving = 0 if region.runs_nothing else sum(deployment.replicas for deployment in region.deployments.values())
        answers = Seen.UP  # a balancer without instances says so with a status, and lives
        yield Look(
            region.name, Subject.HTTP, world.component("loadbalancer"), answers, facts={"status": 200 if region.admits and serving else 503}
        )
        yield self._agent(region) if linked else self._nothing(region, Subject.AGENT, AGENT_NAME)
        yield from self._zones(region)

    def _store(self, region: SimulatedRegion, store: LogStore, subject: Subject, name: str) -> Look:
        now = self._world.clock.wall_seconds()
        if store.role is StoreRole.FENCED:
            return Look(region.name, subject, name, Seen.DOWN, detail="connection refused: it is fenced")
        role = "primary" if store.role is StoreRole.WRITER else "standby"
        newest = store.heartbeat_seconds()
        facts: dict[str, Any] = {"role": role, "epoch": store.epoch}
        if newest is not None:
            age = max(0.0, now - newest)
            facts |= {"heartbeat_age_seconds": age}
            lag = {"replay_lag_seconds": age} if subject is Subject.POSTGRES else {"lag_seconds": age, "offset": len(store.log)}
            facts |= lag if role == "standby" else {}
        return Look(region.name, subject, name, Seen.UP, facts=facts)

    def _bucket(self, region: SimulatedRegion) -> Look:
        world = self._world
        if region.bucket_silent:
            return self._nothing(region, Subject.BUCKET, world.component("bucket"))
        written = max(place.bucket.writer for place in world.regions.values())[1]
        facts: dict[str, Any] = {"role": "primary" if written == region.name else "replica"}
        if written != region.name:
            arrived = region.bucket.arrived_until_seconds
            facts |= {"copy_lag_seconds": max(0.0, world.clock.wall_seconds() - arrived)} if arrived else {}
        return Look(region.name, Subject.BUCKET, world.component("bucket"), Seen.UP, facts=facts)

    def _agent(self, region: SimulatedRegion) -> Look:
        agent, now = region.agent, self._world.clock.steady_seconds()
        if not agent.alive:
            return Look(region.name, Subject.AGENT, AGENT_NAME, Seen.DOWN, detail="connection refused")
        role = "standby" if agent.holder != region.name else "holder" if agent.may_write(now) else "fenced"
        facts = {
            "role": role,
            "era": agent.epoch.era,
            "epoch": agent.epoch.epoch,
            "holder": agent.holder,
            "lease_remaining_seconds": agent.lease_remaining_seconds(now),
            "promising": agent.promising,
            "promise_ends_in_seconds": agent.promise_ends_in_seconds(now),
        }
        return Look(region.name, Subject.AGENT, AGENT_NAME, Seen.UP, facts=facts)
