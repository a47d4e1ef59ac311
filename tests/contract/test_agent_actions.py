"""Fence, promotion and reprotection through real agents with real stores: the contract on Redis, whole stories on PostgreSQL too."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from contract.action_suite import ORDER, ActionSuite, Ground, Opens, acted, proved
from contract.agents_rig import CLOCK, TTL_SECONDS, Agents, agents, seconds_since
from holdfast.fencing.order import Order
from holdfast.ports.action import Action, Answer, Mode, Outcome, Result, Task
from holdfast.providers.agents.actions import (
    PostgresPromoteAction,
    PostgresReprotectAction,
    RedisPromoteAction,
    RedisReprotectAction,
)
from holdfast.providers.agents.fence import FenceAction
from holdfast.providers.agents.withdraw import WithdrawAction
from holdfast.providers.postgres.verify import prove_writer as prove_postgres_writer
from holdfast.providers.redis.verify import prove_writer as prove_redis_writer
from lab.postgres_store_rig import EAST, WEST

FENCE = Task("fence", "fence", None, WEST, EAST, Mode.UNGRACEFUL, ORDER)


async def snapshot(both: Agents) -> Any:
    """What looking must not change: both agents' durable state, and what their stores are.

    What a stopped store would be doing is left out: an agent bars the old writer by itself as soon as it hears of the new epoch."""
    seen = []
    for region in (WEST, EAST):
        status = await both.status(region)
        roles = {
            name: (store["role"], store["duty"] if store["role"] != "stopped" else None, store.get("epoch"))
            for name, store in status["stores"].items()
        }
        seen.append((status["epoch"], status["pledged"], status["yielded"], status["withdrawn"], status["highest_order"], roles))
    return seen


async def durable(both: Agents) -> Any:
    """The same without the stores: they start by themselves once their region may write again."""
    return [seen[:-1] for seen in await snapshot(both)]


def ground(
    make: Callable[[Agents], Action],
    task: Task,
    before: Callable[[Agents], Awaitable[None]] | None = None,
    look: Callable[[Agents], Awaitable[Any]] = snapshot,
    impatient: Callable[[Agents], Action] | None = None,
) -> Opens:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Ground]:
        async with agents("redis") as both:
            if before is not None:
                await before(both)

            async def cut() -> None:
                both.freeze(WEST)
                both.freeze(EAST)

            yield Ground(make(both), task, lambda: look(both), cut, impatient(both) if impatient is not None else None)

    return opened


async def to_be_promoted(both: Agents) -> None:
    await both.consented(2, WEST, EAST, term=1)


async def to_be_reprotected(both: Agents) -> None:
    await both.consented(2, WEST, EAST, term=1)
    answer = await both.clients[EAST].order(Order(0, 2, 1, 3), "redis.promote", {}, 20)
    assert answer.result == "succeeded", answer
    # The lost side's agent bars the old writer by itself as soon as it hears of the new epoch: that is no step's doing.
    async with asyncio.timeout(10):
        while (await both.status(WEST))["stores"]["redis"]["duty"] != "barred":
            await asyncio.sleep(0.05)


class TestFence(ActionSuite):
    implementations = (FenceAction,)
    blocks = ("fence",)

    @pytest.fixture
    def opens(self) -> Opens:
        return ground(lambda both: FenceAction(both.clients, CLOCK, lambda: 0.0), FENCE)


class TestGracefulFence(ActionSuite):
    implementations = (FenceAction,)
    blocks = ("fence",)

    @pytest.fixture
    def opens(self) -> Opens:
        return ground(lambda both: FenceAction(both.clients, CLOCK, lambda: 0.0), replace(FENCE, mode=Mode.GRACEFUL))


class TestRedisPromote(ActionSuite):
    implementations = (RedisPromoteAction,)
    blocks = ("redis.promote",)

    @pytest.fixture
    def opens(self) -> Opens:
        task = Task("promote-cache", "redis.promote", "cache", WEST, EAST, Mode.UNGRACEFUL, ORDER)

        def make(both: Agents, seconds: float = 60.0) -> Action:
            return RedisPromoteAction(both.clients, CLOCK, prove_redis_writer(both.caches), timeout_seconds=seconds)

        return ground(make, task, to_be_promoted, impatient=lambda both: make(both, 1.0))


class TestRedisReprotect(ActionSuite):
    implementations = (RedisReprotectAction,)
    blocks = ("redis.reprotect",)

    @pytest.fixture
    def opens(self) -> Opens:
        task = Task("reprotect-cache", "redis.reprotect", "cache", WEST, EAST, Mode.UNGRACEFUL, ORDER)

        def make(both: Agents, seconds: float = 60.0) -> Action:
            return RedisReprotectAction(both.clients, CLOCK, timeout_seconds=seconds)

        return ground(make, task, to_be_reprotected, impatient=lambda both: make(both, 1.0))


async def to_be_withdrawn(both: Agents) -> None:
    """Turning back: the source was fenced for epoch 2 and the target has consented to it, but nobody was promoted under it."""
    fence = await both.clients[WEST].order(Order(0, 2, 1, 1), "fence", {"mode": "graceful"}, 20)
    assert (await both.clients[EAST].order(Order(0, 2, 1, 1), "prepare", {}, 5)).result == "succeeded"
    answer = await both.clients[EAST].order(Order(0, 2, 1, 2), "consent", {"certificate": fence.facts["certificate"]}, 5)
    assert answer.result == "succeeded", answer


async def withdrawn_in_the_target(both: Agents) -> None:
    await to_be_withdrawn(both)
    answer = await both.clients[EAST].order(Order(0, 2, 1, 3), "withdraw", {"controller_consented": False}, 5)
    assert answer.result == "succeeded", answer


def withdrawal(region: str) -> Task:
    """A step of turning back: its regions are those of what it turns back, turned round."""
    return Task("withdraw", "withdraw", None, EAST, WEST, Mode.UNGRACEFUL, ORDER, {"region": region})


class TestWithdrawFromTheTarget(ActionSuite):
    implementations = (WithdrawAction,)
    blocks = ("withdraw",)

    @pytest.fixture
    def opens(self) -> Opens:
        return ground(lambda both: WithdrawAction(both.clients, CLOCK, lambda: False), withdrawal(EAST), to_be_withdrawn, durable)


class TestWithdrawFromTheSource(ActionSuite):
    implementations = (WithdrawAction,)
    blocks = ("withdraw",)

    @pytest.fixture
    def opens(self) -> Opens:
        return ground(lambda both: WithdrawAction(both.clients, CLOCK, lambda: False), withdrawal(WEST), withdrawn_in_the_target, durable)


async def run(both: Agents, action: Action, task: Task, figures: dict[str, float], name: str) -> Outcome:
    """One step as the controller carries it out."""
    started = time.monotonic()

    async def cut() -> None:
        raise AssertionError("nothing is cut here")

    here = Ground(action, task, lambda: snapshot(both), cut)
    outcome = await acted(here, task)
    figures[name] = seconds_since(started)
    assert outcome.result is Result.SUCCEEDED, (outcome, (both.root / f"{task.source}.agent.log").read_text())
    await proved(here, task)
    figures[f"{name}, proved"] = seconds_since(started)
    figures |= {f"{name}: {part}": value for part, value in outcome.facts.items() if part.endswith("_seconds") and part != "wait_seconds"}
    return outcome


async def activate(both: Agents, source: str, target: str, epoch: int, mode: Mode) -> tuple[Outcome, dict[str, float]]:
    """Fence and promote both stores. Returns the fence's outcome and how long each part took."""
    figures: dict[str, float] = {}
    both.controller.prepare(Order(0, epoch, 1, 0))
    task = Task("fence", "fence", None, source, target, mode, Order(0, epoch, 1, epoch * 10))
    fence = await run(both, FenceAction(both.clients, CLOCK, both.controller.remaining_seconds), task, figures, "fence")
    if "certificate" in fence.facts:
        both.controller.fenced(fence.facts["certificate"])
    both.controller.serve(epoch, target)
    parameters = {"source_position": fence.facts["position"]}
    postgres = replace(task, block="postgres.promote", order=Order(0, epoch, 1, epoch * 10 + 1), parameters=parameters)
    redis = replace(task, block="redis.promote", order=Order(0, epoch, 1, epoch * 10 + 2), parameters=parameters)
    started = time.monotonic()
    await asyncio.gather(
        run(both, PostgresPromoteAction(both.clients, CLOCK, prove_postgres_writer(both.databases)), postgres, figures, "postgres"),
        run(both, RedisPromoteAction(both.clients, CLOCK, prove_redis_writer(both.caches)), redis, figures, "redis"),
    )
    figures["both promoted, proved"] = seconds_since(started)
    return fence, figures


async def reprotect(both: Agents, lost: str, writer: str, epoch: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    task = Task("reprotect", "postgres.reprotect", "database", lost, writer, Mode.GRACEFUL, Order(0, epoch, 1, epoch * 10 + 3))
    await asyncio.gather(
        run(both, PostgresReprotectAction(both.clients, CLOCK), task, figures, "postgres"),
        run(both, RedisReprotectAction(both.clients, CLOCK), replace(task, order=Order(0, epoch, 1, epoch * 10 + 4)), figures, "redis"),
    )
    return figures


def test_a_lost_region_is_fenced_by_time_and_comes_back_as_replica_and_then_home_without_loss(
    record_property: Callable[[str, object], None],
) -> None:
    async def story() -> None:
        async with agents("postgres", "redis") as both:
            both.lose(WEST)
            fence, figures = await activate(both, WEST, EAST, 2, Mode.UNGRACEFUL)
            assert fence.facts["how"] == "lease-ran-out"
            assert fence.facts["fenced_at_seconds"] is None, "the controller's clock is not the region's"
            assert fence.facts["last_heartbeat_seconds"] is not None
            assert figures["fence"] < TTL_SECONDS * 1.01 + 1.5, figures
            print("failover", figures, dict(fence.facts["seconds"]))

            both.start(WEST)
            async with asyncio.timeout(10):
                while (await _answers(both, WEST)) is None:
                    await asyncio.sleep(0.05)
            figures = await reprotect(both, WEST, EAST, 2)
            print("reprotect", figures)

            fence, figures = await activate(both, EAST, WEST, 3, Mode.GRACEFUL)
            assert fence.facts["how"] == "acknowledged"
            assert set(fence.facts["position"]) >= {"postgres_lsn", "redis_offset"}
            print("switchover", figures, dict(fence.facts["seconds"]))
            print("reprotect", await reprotect(both, EAST, WEST, 3))

    asyncio.run(story())


async def _answers(both: Agents, region: str) -> dict[str, Any] | None:
    try:
        return await both.status(region)
    except ConnectionError:
        return None


def test_a_source_that_answers_makes_an_ungraceful_fence_quick_although_promises_run() -> None:
    async def story() -> None:
        async with agents("redis") as both:
            both.controller.prepare(Order(0, 2, 1, 0))
            fence = FenceAction(both.clients, CLOCK, both.controller.remaining_seconds)
            started = time.monotonic()
            outcome = await fence.act(FENCE)
            assert (outcome.result, outcome.facts["how"]) == (Result.SUCCEEDED, "acknowledged"), outcome
            assert seconds_since(started) < TTL_SECONDS
            assert outcome.facts["certificate"]["region"] == WEST

    asyncio.run(story())


def test_a_silent_source_whose_promises_still_run_is_not_fenced_yet_and_a_graceful_fence_needs_its_word() -> None:
    async def story() -> None:
        async with agents("redis") as both:
            both.freeze(WEST)
            fence = FenceAction(both.clients, CLOCK, lambda: 5.0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(fence.act(FENCE), TTL_SECONDS + 1.5)
            assert (await fence.check(FENCE)).answer is Answer.NO
            done = FenceAction(both.clients, CLOCK, lambda: 0.0)
            assert (await done.act(replace(FENCE, order=replace(ORDER, step=51)))).facts["how"] == "lease-ran-out"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(done.act(replace(FENCE, mode=Mode.GRACEFUL, order=replace(ORDER, step=52))), 2)

    asyncio.run(story())


def test_a_position_that_was_told_before_a_crash_of_the_controller_is_found_again() -> None:
    async def story() -> None:
        async with agents("redis") as both:
            graceful = replace(FENCE, mode=Mode.GRACEFUL)
            first = await FenceAction(both.clients, CLOCK, lambda: 0.0).act(graceful)
            again = replace(graceful, order=replace(ORDER, term=3, step=60))
            finding = await FenceAction(both.clients, CLOCK, lambda: 0.0).check(again)
            assert (finding.answer, finding.facts["position"]) == (Answer.YES, first.facts["position"])
            fenced = first.facts["fenced_at_seconds"]
            assert finding.facts["fenced_at_seconds"] == pytest.approx(fenced, abs=0.5)
            second = await FenceAction(both.clients, CLOCK, lambda: 0.0).act(again)
            assert second.facts["position"] == first.facts["position"] != {}
            assert second.facts["fenced_at_seconds"] == finding.facts["fenced_at_seconds"], "not when it was ordered again"

    asyncio.run(story())


def test_a_silent_target_leaves_the_source_alone() -> None:
    async def story() -> None:
        async with agents("redis") as both:
            both.freeze(EAST)
            outcome = await FenceAction(both.clients, CLOCK, lambda: 0.0).act(FENCE)
            assert outcome.result is Result.UNKNOWN
            assert "was not ordered to fence" in outcome.detail
            assert (await both.status(WEST))["stores"]["redis"]["role"] == "writer"

    asyncio.run(story())


async def _modes(both: Agents, region: str) -> list[str]:
    """What a region's agent recorded about how its Redis replicates, and about promotions, in its order."""
    said = (await both.clients[region].records(0))["records"]
    return [f"{one['what']} {one['facts'].get('mode', '')}".strip() for one in said if one["what"] in ("replication-mode", "promoted")]


def test_synchronously_a_promoted_redis_is_recorded_as_unprotected_first_and_is_protected_again_by_its_replica() -> None:
    async def story() -> None:
        async with agents("redis", replication="synchronous") as both:
            assert (await both.status(WEST))["stores"]["redis"]["synchronous"] is True
            await both.consented(2, WEST, EAST, term=1)
            promoted = await both.clients[EAST].order(Order(0, 2, 1, 3), "redis.promote", {}, 20)
            assert promoted.result == "succeeded", promoted
            assert (await both.status(EAST))["stores"]["redis"]["synchronous"] is False
            assert await _modes(both, EAST) == ["replication-mode asynchronous", "promoted"]

            task = Task("reprotect-cache", "redis.reprotect", "cache", WEST, EAST, Mode.UNGRACEFUL, Order(0, 2, 1, 4))
            action = RedisReprotectAction(both.clients, CLOCK, replication="synchronous", timeout_seconds=60.0)
            assert (await action.check(task)).answer is Answer.NO
            outcome = await action.act(task)
            assert (outcome.result, outcome.facts["replication"]) == (Result.SUCCEEDED, "synchronous"), outcome
            assert (await both.status(EAST))["stores"]["redis"]["synchronous"] is True
            async with asyncio.timeout(10):
                while (await action.verify(task)).answer is not Answer.YES:
                    await asyncio.sleep(0.05)
            assert await _modes(both, EAST) == ["replication-mode asynchronous", "promoted", "replication-mode synchronous"]

            relaxed = await both.clients[EAST].order(Order(0, 2, 1, 5), "redis.synchronous", {"mode": "asynchronous"}, 5)
            assert relaxed.result == "succeeded", relaxed
            finding = await action.check(task)
            assert (finding.answer, "does not wait for it" in finding.detail) == (Answer.NO, True)

    asyncio.run(story())


def test_what_stays_as_it_was_is_recorded_without_a_mode_that_nobody_looked_at() -> None:
    async def story() -> None:
        async with agents("redis", replication="synchronous") as both:
            await both.consented(2, WEST, EAST, term=1)
            too_far = {"source_position": {"redis_offset": 10**12}}
            refused = await both.clients[EAST].order(Order(0, 2, 1, 3), "redis.promote", too_far, 30)
            assert (refused.result, "the source stopped at" in refused.detail) == ("refused", True), refused
            assert await _modes(both, EAST) == ["replication-mode asynchronous", "replication-mode"]

            for step in (4, 5):
                promoted = await both.clients[EAST].order(Order(0, 2, 1, step), "redis.promote", {}, 30)
                assert promoted.result == "succeeded", promoted
            assert promoted.facts["how"] == "already"
            once = ["replication-mode asynchronous", "promoted"]
            again = ["replication-mode asynchronous", "replication-mode", "promoted"]
            assert (await _modes(both, EAST))[2:] == [*once, *again]

    asyncio.run(story())
