"""What must hold always, looked at after every event of a simulation. The numbers are those of the design's section 4.

1 one writer · 2 fence before promote · 3 orders only grow · 5 the true loss stays within the bound · 8 intent before effect ·
9 traffic last, never an empty answer · 11 exported before it is thrown away.
(14, that every run ends, is for whoever drives the simulation.) It only reads.
A broken invariant is said at once, with the moment, and ends the simulation.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.ports.action import Action, Finding, Outcome, Task
from holdfast.simulation.clock import VirtualTimeLoop, run_virtual
from holdfast.simulation.journal import MemoryDisk
from holdfast.simulation.stage import Stage, StageSettings
from holdfast.simulation.stores import LogStore, StoreRole
from holdfast.simulation.world import TICK_SECONDS

_KINDS = ("postgres", "redis")
_TOLERANCE_SECONDS = 1e-6


_T = TypeVar("_T")


class InvariantBroken(Exception):
    """Which invariant, when, and what was seen."""


class Invariants:
    """All of them over one stage. Give `wrap` to the stage, then `watch` it."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._disk: MemoryDisk | None = None
        self._read = 0
        self._highest = Order(0, 0, 0, 0)
        self._epochs: list[tuple[int, int]] = [(0, 1)]
        self._fenced: set[tuple[int, int]] = set()
        self._wrote_until: dict[str, float] = {}
        """Region → the last moment at which it could write, by the stage's own clock."""
        self._bounds: dict[tuple[int, int], float | None] = {}
        self._decided: dict[str, float | None] = {}
        self._opened: dict[str, tuple[int, int]] = {}
        self._numbered: set[str] = set()
        """Runs that were approved as moving no writer."""
        self._verified: dict[str, set[str]] = defaultdict(set)
        self._acted: set[Order] = set()
        self._roles: dict[tuple[str, str], StoreRole] = {}
        self._logged: dict[tuple[str, str], int] = {}
        self._newest: dict[str, int] = {}
        self._acknowledged: dict[tuple[str, str], float] = {}
        self._entries: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._skipped_export = False
        self._thrown_away = 0
        self._violations: list[str] = []

    def watch(self, stage: Stage) -> None:
        """From now on, look at this stage after every event of the loop that it runs in."""
        self._stage, self._names = stage, dict(stage.world.dns)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        loop.look_after_every_event(self.look)

    def wrap(self, _block: str, action: Action) -> Action:
        """The action with a witness beside it."""
        return _Witnessed(self, action)

    def look(self) -> None:
        """Raises InvariantBroken."""
        stage = self._stage
        if stage is None:
            return
        self._journal(stage)
        self._acknowledgements(stage)
        for kind in _KINDS:
            self._one_writer(stage, kind)
            for name, region in stage.world.regions.items():
                self._promotion(stage, name, kind, region.store_of(kind))
        self._traffic(stage)
        self._thrown(stage)
        if self._violations:
            raise InvariantBroken(f"seed {stage.settings.seed}, after {stage.clock.steady_seconds():.3f} s: {'; '.join(self._violations)}")

    def says(self, number: int, what: str) -> None:
        """One more violation, raised at the next look."""
        self._violations.append(f"invariant {number}: {what}")

    # -- 1: one writer ------------------------------------------------------------------------------------------------------

    def _one_writer(self, stage: Stage, kind: str) -> None:
        world = stage.world
        for name in world.regions:
            if world.writes_here(name):
                self._wrote_until[name] = stage.clock.wall_seconds()
        writing = [
            name for name, region in world.regions.items() if world.writes_here(name) and region.store_of(kind).role is StoreRole.WRITER
        ]
        if len(writing) > 1:
            self.says(1, f"{kind} can be written in {' and '.join(writing)}")
        for name, region in world.regions.items():
            log = region.store_of(kind).log
            for write in log[self._logged.get((name, kind), 0) :]:
                if write.region == name and write.epoch < self._newest.get(kind, 0):
                    self.says(1, f"{name}'s {kind} took a write under epoch {write.epoch} after one under {self._newest[kind]}")
                if write.region == name:
                    self._newest[kind] = max(self._newest.get(kind, 0), write.epoch)
            self._logged[name, kind] = len(log)

    # -- 2 and 5: fence before promote, and what it lost --------------------------------------------------------------------

    def _promotion(self, stage: Stage, name: str, kind: str, store: LogStore) -> None:
        before = self._roles.get((name, kind), store.role)
        self._roles[name, kind] = store.role
        if before is not StoreRole.STANDBY or store.role is StoreRole.STANDBY:
            return
        era = stage.world.regions[name].agent.epoch.era
        epoch = (era, store.epoch)
        peer = stage.world.peer(name)
        if epoch not in self._fenced:
            self.says(2, f"{name}'s {kind} was promoted under epoch {era}.{store.epoch} without a confirmed fence of {peer.name}")
        if stage.world.writes_here(peer.name):
            left = peer.agent.lease_remaining_seconds(stage.clock.steady_seconds())
            self.says(2, f"{name}'s {kind} was promoted while {peer.name} may still write for {left:.2f} s")
        self._loss(stage, kind, epoch, store, peer.store_of(kind))

    def _loss(self, stage: Stage, kind: str, epoch: tuple[int, int], promoted: LogStore, left: LogStore) -> None:
        bound = self._bounds.get(epoch)
        if bound is None or epoch not in self._fenced:
            return  # nobody was told a bound: a named person accepted that
        here, component = {write.key for write in promoted.log}, stage.world.component(kind)
        lost = [
            self._acknowledged[component, write.key]
            for write in left.log
            if write.region == left.region and write.key not in here and (component, write.key) in self._acknowledged
        ]
        true = max(self._wrote_until.get(left.region, 0.0), *lost) - min(lost) if lost else 0.0
        if true > bound + _TOLERANCE_SECONDS:
            self.says(5, f"{kind} lost {true:.3f} s of acknowledged writes ({len(lost)}), the approvers saw {bound:.3f} s")

    def _acknowledgements(self, stage: Stage) -> None:
        for function, ledger in stage.clients.ledgers.items():
            for entry in ledger[self._entries.get(function, 0) :]:
                if entry.store is not None and entry.key is not None:
                    self._acknowledged[entry.store, entry.key] = entry.answered_seconds
            self._entries[function] = len(ledger)

    # -- 3 and 8: orders, intents -------------------------------------------------------------------------------------------

    def _journal(self, stage: Stage) -> None:
        if stage.disk is not self._disk:
            if self._disk is not None:
                self._count_from_what_effectors_know(stage)
            self._disk, self._read = stage.disk, 0
        for record in stage.disk.records[self._read :]:
            self._record(record)
        self._read = len(stage.disk.records)

    def _count_from_what_effectors_know(self, stage: Stage) -> None:
        """The journal was lost. What was ordered and reached nobody is known to nobody; all that was obeyed must still be lower."""
        world, nothing = stage.world, Order(0, 0, 0, 0)
        obeyed = [world.dns_orders.all_highest or nothing]
        epochs: list[tuple[int, int]] = []
        for region in world.regions.values():
            obeyed += [orders.all_highest or nothing for orders in (region.agent.orders, *region.orders.values())]
            epochs += [region.agent.epoch, *([region.agent.activation.epoch] if region.agent.activation else [])]
        self._highest = max(obeyed)
        self._epochs = [*epochs, (self._highest.era, self._highest.epoch)]
        self._acted.clear()

    def _record(self, record: Record) -> None:
        body = record.body
        match record.kind:
            case Kind.DECIDED:
                self._decided[body["run"]] = body["loss_bound_seconds"]
            case Kind.EPOCH_OPENED:
                epoch = (body["era"], body["epoch"])
                if epoch <= max(self._epochs):
                    self.says(3, f"epoch {epoch[0]}.{epoch[1]} was opened after {max(self._epochs)}")
                self._epochs.append(epoch)
                self._opened[body["run"]], self._bounds[epoch] = epoch, self._decided.get(body["run"])
                self._verified[body["run"]].clear()
            case Kind.RUN_NUMBERED:
                number = (body["era"], body["epoch"])
                if number <= max(self._epochs):
                    self.says(3, f"a run got the number {number[0]}.{number[1]} after {max(self._epochs)}")
                self._epochs.append(number)
                self._numbered.add(body["run"])
                self._verified[body["run"]].clear()
            case Kind.FENCE_CONFIRMED:
                self._fenced.add(self._opened[body["run"]])
                wrote = self._wrote_until.get(body["region"], 0.0)
                if body["at_seconds"] < wrote - TICK_SECONDS:
                    self.says(
                        2, f"the fence of {body['region']} is said to stand since {wrote - body['at_seconds']:.2f} s before its last write"
                    )
            case Kind.STEP_INTENDED:
                self._intended(record)
            case Kind.STEP_FINISHED if (body["block"], body["outcome"]) == ("divergence.export", "skipped"):
                self._skipped_export = True
            case Kind.STEP_FINISHED if body["outcome"] in ("succeeded", "settled", "skipped"):
                self._verified[body["run"]].add(body["block"])

    def _intended(self, record: Record) -> None:
        body = record.body
        order, block, run = Order.from_list(list(body["order"])), BLOCKS[body["block"]], body["run"]
        if order <= self._highest and block.actor is Actor.PROVIDER:  # orders of other steps reach no effector
            self.says(3, f"step {body['step']} got order {order.as_text()} after {self._highest.as_text()}")
        self._highest = max(order, self._highest)
        if block.grants_write and self._opened.get(run) not in self._fenced:
            self.says(2, f"step {body['step']} was intended before the fence was confirmed")
        if run in self._numbered and block.grants_write:
            self.says(2, f"step {body['step']} would make a writer in a run that moves none")
        needed = {"settings.update"} if run in self._numbered else {"postgres.promote", "redis.promote"}
        if block.moves_traffic and run != "turn-back" and not needed <= self._verified[run]:
            self.says(9, f"step {body['step']} was intended before the target was proved writable")

    def acts(self, task: Task) -> None:
        """An effector is about to be ordered."""
        stage = self._stage
        if stage is None:
            return
        wanted = task.order.as_list()
        intents = [
            r for r in stage.disk.records if r.kind == Kind.STEP_INTENDED and (r.body["order"], r.body["step"]) == (wanted, task.step)
        ]
        if not intents:
            self.says(8, f"step {task.step} acts under order {task.order.as_text()}, which no intent in the journal names")
        if task.order in self._acted:
            self.says(3, f"order {task.order.as_text()} was given twice, now to {task.step}")
        self._acted.add(task.order)

    # -- 11: what only the lost side held -----------------------------------------------------------------------------------

    def _thrown(self, stage: Stage) -> None:
        written = {(region, *entry) for (region, _), entries in stage.world.exported.items() for entry in entries}
        for gone in stage.world.thrown_away[self._thrown_away :]:
            if gone not in written and not self._skipped_export:
                self.says(11, f"{gone[0]}'s {gone[1]} threw {gone[2]} away, which was not exported")
        self._thrown_away = len(stage.world.thrown_away)

    # -- 9: traffic ---------------------------------------------------------------------------------------------------------

    def _traffic(self, stage: Stage) -> None:
        world = stage.world
        if world.dns == self._names:
            return
        for function, name in world.dns.items():
            if name not in world.regions:
                self.says(9, f"the name of {function} leads nowhere")
            elif name != self._names[function]:
                peer, region = world.peer(name), world.regions[name]
                behind = [kind for kind in _KINDS if world.regions[region.stores_of[kind]].store_of(kind).role is StoreRole.STANDBY]
                if behind:
                    self.says(
                        9, f"the name of {function} leads to {name}, whose application uses a {' and a '.join(behind)} that is a copy"
                    )
                uses_own = all(region.stores_of[kind] == name for kind in _KINDS)
                if world.writes_here(peer.name) and uses_own:
                    self.says(9, f"the name of {function} leads to {name} while {peer.name} may still write")
        self._names = dict(world.dns)


class _Witnessed:
    """An action whose acts are seen."""

    def __init__(self, invariants: Invariants, action: Action) -> None:
        self._invariants = invariants
        self._action = action

    async def check(self, task: Task) -> Finding:
        """As it is."""
        return await self._action.check(task)

    async def act(self, task: Task) -> Outcome:
        """Seen, then as it is."""
        self._invariants.acts(task)
        return await self._action.act(task)

    async def verify(self, task: Task) -> Finding:
        """As it is."""
        return await self._action.verify(task)


def under_watch(settings: StageSettings, story: Callable[[Stage], Awaitable[_T]]) -> _T:
    """Play a story on a stage from its beginning to its end, in virtual time. Raises InvariantBroken at the moment at which one breaks."""
    invariants = Invariants()

    async def play() -> _T:
        stage = Stage(settings, invariants.wrap)
        stage.begin()
        invariants.watch(stage)
        try:
            return await story(stage)
        finally:
            await stage.end()

    return run_virtual(play)
