"""A simulated world: two regions, a witness and an outside, with everything that a plan's blocks act on, in virtual time.

Simplified but honest where it matters: the lease is kept by the very rules of `fencing`; a source that is cut off goes on
acknowledging until its lease has run out; copies lag; a store that is not the writer refuses; what an order is compared with is kept
by the effector. Faults are put in from outside: cut links, dead agents, and what a block's act is to do instead of its work.
No randomness: the same calls give the same history. It never decides anything, and knows nothing of incidents.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from holdfast.fencing.lease import HEARTBEAT_SECONDS
from holdfast.fencing.promise import Ask, Reply, Timing
from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.ledger.entry import RequestResult
from holdfast.plan.model import Plan
from holdfast.ports.clock import Clock
from holdfast.simulation.agent import Grants, Orders, SimulatedAgent
from holdfast.simulation.links import Links
from holdfast.simulation.region import Deployment, SimulatedRegion
from holdfast.simulation.stores import BucketStore, LogStore, StoreRole, Write

T = TypeVar("T")

TICK_SECONDS = 0.1
ARCHIVE_LAG_SECONDS = 0.5
SILENCE_SECONDS = 1.0
"""How long whoever asks waits for an answer that does not come."""
DNS = "dns"
"""The DNS server, where sites are named."""
STORE_KINDS = ("bucket", "redis", "postgres")
"""In the order in which a service writes them: the row in PostgreSQL comes last."""


class BlockFault(StrEnum):
    """What a block's act does instead of its work."""

    REFUSE = "refuse"
    FAIL = "fail"
    SILENT_BEFORE = "silent-before"
    """No answer, and nothing happened."""
    SILENT_AFTER = "silent-after"
    """No answer, but it happened."""
    NO_OP = "no-op"
    """Says that it succeeded, and does nothing."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the load needs of each function: instances, and the version of production."""

    replicas: int = 2
    version: str = "2"


@dataclass(frozen=True, slots=True)
class Served:
    """What a caller got."""

    result: RequestResult
    region: str
    latency_seconds: float
    detail: str
    writes: tuple[tuple[str, Write], ...] = ()
    """Component and what was written there."""


@dataclass
class BlockFaults:
    """The faults that are put in: used up one by one, or for good."""

    once: dict[str, deque[BlockFault]] = field(default_factory=dict)
    always: dict[str, BlockFault] = field(default_factory=dict)

    def next(self, block: str) -> BlockFault | None:
        """What this act is to suffer."""
        waiting = self.once.get(block)
        return waiting.popleft() if waiting else self.always.get(block)


class SimulatedWorld:
    """The world of one plan. Call `run` as a task; cut, heal and break things; ask what there is."""

    def __init__(self, plan: Plan, profile: str, clock: Clock, needs: Needs | None = None) -> None:
        self.plan = plan
        self.profile = plan.profiles[profile]
        self.clock = clock
        self.needs = needs or Needs()
        self.home, self.dr = plan.primary_region(), plan.dr_region()
        sites = dict.fromkeys((self.home, self.dr, plan.witness, "outside", *plan.observers))
        self.links = Links(tuple(sites))
        self.faults = BlockFaults()
        self.controller: Grants | None = None
        """How agents ask the controller for its promise; None while there is no controller."""
        self.dns = dict.fromkeys(plan.functions, self.home)
        self.dns_alive = True
        self.dns_orders = Orders()
        self.proofs: dict[tuple[str, str], str] = {}
        """What proving blocks proved: (block, order) → what was seen."""
        self.exported: dict[tuple[str, int], set[tuple[str, str]]] = {}
        """(Region, epoch compared with) → every (kind, key) that was written down as held by that region alone."""
        self.read_when_exported: dict[str, tuple[StoreContents, ...]] = {}
        """Region → what its stores held when that was written down last."""
        self.thrown_away: list[tuple[str, str, str]] = []
        """(Region, kind, key) of every write that went with becoming a replica."""
        self.synchronous_with: str | None = self.dr if plan.replication == "synchronous" else None
        timing = Timing(self.profile.drift, self.profile.margin)
        self.regions = {name: self._region(name, timing) for name in (self.home, self.dr)}
        self.slowness = 1.0
        """How many times as long as usual everything takes that is done in a region."""
        self._heartbeat_seconds = float("-inf")
        self._served = 0
        self._going_on: set[asyncio.Task[Any]] = set()

    def _region(self, name: str, timing: Timing) -> SimulatedRegion:
        at_home = name == self.home
        role, follows = (StoreRole.WRITER, None) if at_home else (StoreRole.STANDBY, self.home)
        postgres, redis = LogStore(name, role, 1, follows), LogStore(name, role, 1, follows)
        # Twice what is needed, so that one of two zones carries it; the DR region starts small.
        replicas, version = (2 * self.needs.replicas, self.needs.version) if at_home else (1, "1")
        return SimulatedRegion(
            name=name,
            postgres=postgres,
            redis=redis,
            bucket=BucketStore(name, (1, self.home), (1, self.home)),
            agent=SimulatedAgent(name, self.home, (postgres, redis), timing, self.profile.lease),
            deployments={function: Deployment(replicas, version) for function in self.plan.functions},
            stores_of=dict.fromkeys(STORE_KINDS, self.home),
            admits=at_home,
            archive=LogStore(name, StoreRole.STANDBY, 1, self.dr if at_home else self.home, lag_seconds=ARCHIVE_LAG_SECONDS),
        )

    # -- time -------------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Let the world go on until cancelled."""
        while True:
            self.tick()
            await self.clock.sleep(TICK_SECONDS)

    def tick(self) -> None:
        """One moment of everything that happens by itself."""
        now = self.clock.steady_seconds()
        for region in self.regions.values():
            region.agent.tick(now, self._grantors_of(region.name))
            for deployment in (*region.deployments.values(), *region.resting.values()):
                deployment.settle(now)
        self._beat()
        self._replicate()

    def _beat(self) -> None:
        wall = self.clock.wall_seconds()
        if wall - self._heartbeat_seconds < HEARTBEAT_SECONDS:
            return
        self._heartbeat_seconds = wall
        for region in self.regions.values():
            if self.writes_here(region.name):
                for store in (region.postgres, region.redis):
                    if store.role is StoreRole.WRITER:
                        store.append("", wall)

    def _replicate(self) -> None:
        wall = self.clock.wall_seconds()
        for region in self.regions.values():
            peer = self.peer(region.name)
            if not self.links.answers(region.name, peer.name):
                continue
            linked = self.stores_linked(region.name) and self.stores_linked(peer.name)
            if linked:
                region.archive.pull(peer.postgres, wall)
            for kind in ("postgres", "redis") if linked else ():
                if peer.store_of(kind).role is StoreRole.WRITER:
                    region.store_of(kind).pull(peer.store_of(kind), wall)
            if region.bucket_silent or peer.bucket_silent:
                continue
            if max(peer.bucket.source, region.bucket.source)[1] == peer.name and peer.bucket.source[1] == peer.name:
                peer.bucket.copy_to(region.bucket, wall)

    def _grantors_of(self, region: str) -> dict[str, Grants]:
        found: dict[str, Grants] = {}
        if not self.stores_linked(region):
            return found
        if self.controller is not None and self.links.answers(region, self.plan.witness):
            found["controller"] = self.controller
        peer = self.peer(region)
        if self.agent_answers(region, peer.name):
            found[peer.name] = lambda ask: self._peer_promise(peer, ask)
        return found

    def _peer_promise(self, peer: SimulatedRegion, ask: Ask) -> Reply:
        return peer.agent.promise(ask, self.clock.steady_seconds())

    def go_on(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Something under way in the world: it comes to its end whatever becomes of whoever asked for it."""
        task = asyncio.create_task(work)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return task

    # -- what there is ----------------------------------------------------------------------------------------------------

    def peer(self, region: str) -> SimulatedRegion:
        """The other region."""
        return self.regions[self.dr if region == self.home else self.home]

    def writes_here(self, region: str) -> bool:
        """Whether this region's writers may write at this moment, by their lease."""
        return self.regions[region].agent.may_write(self.clock.steady_seconds())

    def component(self, kind: str) -> str:
        """The plan's component of a kind."""
        return self.plan.components_of(kind)[0]

    def stores_of_function(self, function: str) -> tuple[str, ...]:
        """Kinds of the stores that a function writes."""
        kinds = {self.plan.components[name].kind for name in self.plan.functions[function].stands_on}
        return tuple(kind for kind in STORE_KINDS if kind in kinds)

    def contents(self, region: str) -> tuple[StoreContents, ...]:
        """What each store of a region holds, as an audit reads it."""
        wall, place = self.clock.wall_seconds(), self.regions[region]
        found = []
        for kind in STORE_KINDS:
            writes = place.bucket.objects.items() if kind == "bucket" else ((write.key, write) for write in place.store_of(kind).log)
            records = {key: StoredRecord(write.epoch, write.region, write.at_seconds) for key, write in writes if key}
            found.append(StoreContents(self.component(kind), region, wall, records))
        return tuple(found)

    def answers(self, asking: str, asked: str) -> bool:
        """Whether a site, or the DNS server at the witness (`dns`), answers another site."""
        if asked == DNS:
            return self.dns_alive and self.links.answers(asking, self.plan.witness)
        return self.links.answers(asking, asked)

    def stores_linked(self, region: str) -> bool:
        """Whether the zone of a region's stores and agent, its first, is linked with the rest of it."""
        return all(self.links.reaches_zone(zone) for zone in self.plan.regions[region].zones[:1])

    def agent_answers(self, asking: str, region: str) -> bool:
        """Whether a site gets answers from a region's agent."""
        return self.regions[region].agent.alive and self.stores_linked(region) and self.links.answers(asking, region)

    def instances(self, region: str, function: str) -> Mapping[str, int]:
        """Instances of a function by zone: spread evenly, the first zone with one more."""
        place = self.regions[region]
        zones, replicas = self.plan.regions[region].zones or ("",), 0 if place.runs_nothing else place.deployments[function].replicas
        return {zone: replicas // len(zones) + (place < replicas % len(zones)) for place, zone in enumerate(zones)}

    def instances_linked(self, region: str, function: str) -> int:
        """Instances of a function that the region's load balancer reaches."""
        return sum(count for zone, count in self.instances(region, function).items() if self.links.reaches_zone(zone))

    # -- requests ---------------------------------------------------------------------------------------------------------

    def request(self, site: str, function: str, key: str) -> Served:
        """One transaction of a function from a site, through DNS."""
        if not self.answers(site, DNS):
            return Served(RequestResult.UNKNOWN, "", SILENCE_SECONDS, "DNS does not answer")
        return self.request_in(site, self.dns[function], function, key)

    def request_in(self, site: str, name: str, function: str, key: str) -> Served:
        """One transaction of a function in a region, from a site. A lost answer does not undo what was done."""
        if not self.links.carries(site, name):
            return Served(RequestResult.UNKNOWN, name, SILENCE_SECONDS, "no answer")
        served = self._serve(self.regions[name], function, key)
        if not self.links.carries(name, site):
            return Served(RequestResult.UNKNOWN, name, SILENCE_SECONDS, "the answer was lost")
        return served

    def _serve(self, region: SimulatedRegion, function: str, key: str) -> Served:
        refusal = self._not_served(region, function)
        if refusal is not None:
            return Served(RequestResult.REFUSED, region.name, 0.005, refusal)
        kinds = self.stores_of_function(function)
        silent = next((said for kind in kinds if (said := self._store_silent(region, kind)) is not None), None)
        if silent is not None:
            return Served(RequestResult.UNKNOWN, region.name, SILENCE_SECONDS, silent)
        writes, wall = [], self.clock.wall_seconds()
        for kind in kinds:
            stores = self.regions[region.stores_of[kind]]
            if kind == "bucket":
                writes.append((self.component(kind), stores.bucket.put(key, wall)))
                continue
            if not self.writes_here(stores.name):
                return Served(RequestResult.REFUSED, region.name, 0.01, f"{kind} in {stores.name} is fenced")
            try:
                writes.append((self.component(kind), stores.store_of(kind).append(key, wall)))
            except PermissionError as error:
                return Served(RequestResult.REFUSED, region.name, 0.01, f"{kind}: {error}")
        if not self._protected(self.regions[region.stores_of["postgres"]]):
            return Served(RequestResult.UNKNOWN, region.name, SILENCE_SECONDS, "the synchronous copy does not confirm the commit")
        return Served(RequestResult.ACKNOWLEDGED, region.name, 0.02, "acknowledged", tuple(writes))

    def _store_silent(self, region: SimulatedRegion, kind: str) -> str | None:
        """Why a store gives this region's application no answer, or None when it does."""
        stores = self.regions[region.stores_of[kind]]
        if kind == "bucket" and stores.bucket_silent:
            return f"the bucket in {stores.name} does not answer"
        if kind != "bucket" and not self.stores_linked(stores.name):
            return f"the stores' zone in {stores.name} does not answer"
        return None if self.links.answers(region.name, stores.name) else f"the stores in {stores.name} do not answer"

    def _not_served(self, region: SimulatedRegion, function: str) -> str | None:
        deployment = region.deployments[function]
        if not region.admits:
            return f"the load balancer in {region.name} admits nobody"
        linked = self.instances_linked(region.name, function)
        if linked == 0:
            return f"no instance of {function} is up"
        if deployment.version < self.needs.version:
            return f"version {deployment.version} is too old"
        self._served += 1
        if self._served % self.needs.replicas >= linked:
            return f"{linked} instances are too few for the load"
        return None

    def _protected(self, stores: SimulatedRegion) -> bool:
        """In synchronous mode the copy takes each commit before it is acknowledged."""
        if self.synchronous_with is None or self.synchronous_with == stores.name:
            return True
        copy = self.regions[self.synchronous_with].postgres
        if (
            not self.stores_linked(copy.region)
            or not self.links.answers(stores.name, copy.region)
            or not copy.follows_truly(stores.postgres)
        ):
            return False
        copy.pull(stores.postgres, self.clock.wall_seconds(), lag_seconds=0.0)
        return True
