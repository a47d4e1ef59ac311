"""The fakes of every block keep the contract of the port Action, and suffer the faults that are put in."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from contract.action_suite import ORDER, ActionSuite, Ground, Opens, acted
from holdfast.controller.keeper import Keeper
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Epoch, Timing
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.loader import load
from holdfast.plan.model import Plan
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.simulation.actions import SimulatedAction, SimulatedFence, simulated_actions
from holdfast.simulation.clock import VirtualClock, run_virtual
from holdfast.simulation.journal import MemoryDisk, MemoryPromises
from holdfast.simulation.world import BlockFault, SimulatedWorld

PLAN = load(Path(__file__).resolve().parents[2] / "examples/voicehive/plan.yaml").plan
PROVIDED = [name for name, block in BLOCKS.items() if block.actor is Actor.PROVIDER]

_TO_WRITE = ("fence", "postgres.promote", "redis.promote")
_TO_SERVE = (*_TO_WRITE, "bucket.activate", "settings.update", "application.scale", "application.deploy", "loadbalancer.switch")
BEFORE: dict[str, tuple[str, ...]] = {
    "withdraw": ("fence",),
    "postgres.promote": ("fence",),
    "redis.promote": ("fence",),
    "postgres.restore": ("fence",),
    "postgres.verify": _TO_WRITE,
    "postgres.reprotect": _TO_WRITE,
    "redis.reprotect": _TO_WRITE,
    "application.fresh": (*_TO_WRITE, "settings.update"),
    "smoke.test": _TO_SERVE,
    "performance.watch": _TO_SERVE,
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "application.scale": {"replicas": 3},
    "application.deploy": {"version": "2"},
    "application.fresh": {"version": "2", "replicas": 3},
    "performance.watch": {"for": "3s"},
    "withdraw": {"region": PLAN.dr_region()},
}


def task_of(plan: Plan, block: str, order: Order, mode: Mode = Mode.UNGRACEFUL) -> Task:
    kind = BLOCKS[block].component_kind
    component = plan.components_of(kind)[0] if kind else None
    source, target = plan.primary_region(), plan.dr_region()
    if block == "withdraw":  # Turning back turns the regions of what it turns back round.
        source, target = target, source
    return Task(block, block, component, source, target, mode, order, PARAMETERS.get(block, {}))


class Stage:
    """A simulated world with its controller's promise, and what must have happened before a block's turn."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.plan = plan
        self.clock = VirtualClock()
        self.world = SimulatedWorld(plan, "fast", self.clock)
        profile = plan.profiles["fast"]
        timing = Timing(profile.drift, profile.margin)
        self.keeper = Keeper(MemoryPromises(MemoryDisk()), self.clock, timing, profile.lease, tuple(plan.regions))
        for region in plan.regions:
            self.keeper.hear(region, Epoch(0, 1), plan.primary_region(), None)
        self.world.controller = self.keeper.ask
        self.actions = simulated_actions(self.world, self.keeper)

    async def do(self, block: str, order: Order, mode: Mode = Mode.UNGRACEFUL, *, hold_open: bool = True) -> None:
        """One step as the controller does it, with its own promise. `hold_open`: take the epoch up after its fence."""
        task = task_of(self.plan, block, order, mode)
        if block == "fence":
            self.keeper.prepare(order)
        outcome = await self.actions[block].act(task)
        assert outcome.result is Result.SUCCEEDED, outcome.detail
        if block == "fence":
            if "certificate" in outcome.facts:
                self.keeper.fenced(outcome.facts["certificate"])
            self.keeper.remaining_seconds()
            if hold_open:
                self.keeper.serve(order.era, order.epoch, task.target)
        async with asyncio.timeout(60):
            while (await self.actions[block].verify(task)).answer is not Answer.YES:
                await self.clock.sleep(0.1)

    async def snapshot(self) -> Any:
        world = self.world
        return (
            dict(world.dns),
            {
                name: (
                    region.postgres.role,
                    region.postgres.epoch,
                    region.redis.role,
                    region.agent.certificate,
                    region.agent.withdrawn,
                    region.bucket.writer,
                    sorted(region.bucket.deleted),
                    region.stores_of,
                    region.admits,
                    {function: (one.wished_replicas, one.wished_version) for function, one in region.deployments.items()},
                    (region.fresh_for, sorted(region.resting)),
                )
                for name, region in world.regions.items()
            },
        )

    async def cut(self) -> None:
        self.world.links.cut(self.plan.witness)
        self.world.dns_alive = False


@asynccontextmanager
async def opened(block: str) -> AsyncIterator[tuple[Stage, Ground]]:
    stage = Stage()
    running = asyncio.create_task(stage.world.run())
    try:
        await stage.clock.sleep(2.0)
        for step, before in enumerate(BEFORE.get(block, ()), start=1):
            await stage.do(before, Order(0, 2, 1, step), hold_open=block != "withdraw")
        if block == "bucket.reconcile":
            stage.world.links.cut_between(PLAN.primary_region(), PLAN.dr_region())
            stage.world.regions[PLAN.primary_region()].bucket.put("recordings/lost", stage.clock.wall_seconds())
            await stage.clock.sleep(1.0)
        if block == "bucket.restore":
            bucket = stage.world.regions[PLAN.dr_region()].bucket
            bucket.put("recordings/deleted", stage.clock.wall_seconds())
            bucket.delete("recordings/deleted")
        if block == "fence":
            stage.keeper.prepare(ORDER)
        yield stage, Ground(stage.actions[block], task_of(PLAN, block, ORDER), stage.snapshot, stage.cut)
    finally:
        running.cancel()


class TestSimulatedActions(ActionSuite):
    implementations = (SimulatedAction, SimulatedFence)
    blocks = tuple(PROVIDED)

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        run_virtual(main)

    @pytest.fixture(params=PROVIDED)
    def opens(self, request: pytest.FixtureRequest) -> Opens:
        @asynccontextmanager
        async def ground() -> AsyncIterator[Ground]:
            async with opened(request.param) as (_, found):
                yield found

        return ground


def test_there_is_a_fake_for_every_block_that_a_provider_carries_out() -> None:
    async def story() -> None:
        assert sorted(Stage().actions) == sorted(PROVIDED)

    run_virtual(story)


@pytest.mark.parametrize("block", PROVIDED)
def test_a_block_that_became_a_no_op_claims_success_and_is_never_proved(block: str) -> None:
    async def story() -> None:
        async with opened(block) as (stage, ground):
            stage.world.faults.always[block] = BlockFault.NO_OP
            assert (await acted(ground, ground.task)).result is Result.SUCCEEDED
            await stage.clock.sleep(10.0)
            finding = await ground.action.verify(ground.task)
            assert finding.answer is not Answer.YES, f"{block} did nothing, and was proved all the same: {finding.detail}"

    run_virtual(story)


@pytest.mark.parametrize("block", PROVIDED)
def test_faults_are_put_in_one_by_one(block: str) -> None:
    async def story() -> None:
        async with opened(block) as (stage, ground):
            stage.world.faults.once[block] = deque([BlockFault.FAIL, BlockFault.REFUSE, BlockFault.SILENT_BEFORE, BlockFault.SILENT_AFTER])
            assert (await acted(ground, ground.task)).result is Result.FAILED
            assert (await acted(ground, ground.task)).result is Result.REFUSED
            assert (await acted(ground, ground.task)).result is Result.UNKNOWN
            assert (await ground.action.check(ground.task)).answer is Answer.NO
            assert (await acted(ground, ground.task)).result is Result.UNKNOWN
            assert (await ground.action.check(ground.task)).answer is Answer.YES
            assert (await acted(ground, ground.task)).result is Result.SUCCEEDED

    run_virtual(story)
