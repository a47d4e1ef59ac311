"""The simulated world is honest: stories of cuts, leases, copies and switches, with clients that keep ledgers."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from contract.test_simulated_actions import PLAN, Stage, task_of
from holdfast.fencing.order import Order
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.measure import loss, recovery, single_writer
from holdfast.plan.model import Plan
from holdfast.ports.action import Answer, Mode, Result
from holdfast.simulation.clients import SimulatedClients
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.observations import SimulatedObserver
from holdfast.simulation.stores import StoreRole

HOME, DR = PLAN.primary_region(), PLAN.dr_region()
FAILOVER = (
    "fence",
    "postgres.promote",
    "redis.promote",
    "bucket.activate",
    "settings.update",
    "postgres.verify",
    "application.scale",
    "application.deploy",
    "loadbalancer.switch",
    "dns.switch",
    "smoke.test",
    "performance.watch",
)


@asynccontextmanager
async def under_load(plan: Plan = PLAN) -> AsyncIterator[tuple[Stage, SimulatedClients]]:
    stage = Stage(plan)
    clients = SimulatedClients(stage.world)
    tasks = [asyncio.create_task(stage.world.run()), asyncio.create_task(clients.run())]
    try:
        await stage.clock.sleep(5.0)
        yield stage, clients
    finally:
        for task in tasks:
            task.cancel()


async def fail_over(stage: Stage, blocks: Iterable[str] = FAILOVER) -> None:
    for step, block in enumerate(blocks, start=1):
        await stage.do(block, Order(0, 2, 1, step))


def entries_of(clients: SimulatedClients) -> list[LedgerEntry]:
    return [entry for ledger in clients.ledgers.values() for entry in ledger]


def results_since(clients: SimulatedClients, function: str, seconds: float) -> set[RequestResult]:
    return {entry.result for entry in clients.ledgers[function] if entry.sent_seconds >= seconds}


def last_write(clients: SimulatedClients, region: str) -> float:
    return max(entry.written_seconds or 0 for entry in entries_of(clients) if entry.region == region and entry.store == "database")


def test_in_normal_times_everything_is_acknowledged_and_copied() -> None:
    async def story() -> None:
        async with under_load() as (stage, clients):
            await stage.clock.sleep(10.0)
            assert {entry.result for entry in entries_of(clients)} == {RequestResult.ACKNOWLEDGED}
            standby = stage.world.regions[DR].postgres
            assert standby.role is StoreRole.STANDBY
            assert stage.clock.wall_seconds() - (standby.heartbeat_seconds() or 0) < 0.5
            assert all(
                stage.world.regions[name].postgres.role is role for name, role in ((HOME, StoreRole.WRITER), (DR, StoreRole.STANDBY))
            )

    run_virtual(story)


def test_a_source_that_is_cut_from_its_grantors_goes_on_until_its_lease_has_run_out_and_no_longer() -> None:
    async def story() -> None:
        async with under_load() as (stage, clients):
            cut = stage.clock.wall_seconds()
            for other in (DR, PLAN.witness):
                stage.world.links.cut_between(HOME, other)
            # Clients still reach it: DNS leads there, and the path from outside stands.
            await stage.clock.sleep(10.0)
            lease = PLAN.profiles["fast"].lease
            assert 0.5 * lease < last_write(clients, HOME) - cut <= lease
            assert results_since(clients, "pms", cut + lease + 0.5) == {RequestResult.REFUSED}
            assert not stage.world.writes_here(HOME)

    run_virtual(story)


def test_a_cut_that_heals_without_a_promotion_ends_with_the_same_writer_under_the_same_epoch() -> None:
    async def story() -> None:
        async with under_load() as (stage, clients):
            stage.world.links.cut(HOME)
            await stage.clock.sleep(10.0)
            stage.world.links.heal(HOME)
            healed = stage.clock.wall_seconds()
            await stage.clock.sleep(10.0)
            assert results_since(clients, "voice", healed + 1.0) == {RequestResult.ACKNOWLEDGED}
            assert stage.world.regions[HOME].postgres.epoch == 1
            assert [why for _, why in stage.world.regions[HOME].agent.records] == ["the lease ran out"]

    run_virtual(story)


@pytest.mark.parametrize("lost", [PLAN.witness, DR])
def test_the_loss_of_one_grantor_stops_nothing(lost: str) -> None:
    async def story() -> None:
        async with under_load() as (stage, _):
            if lost == PLAN.witness:
                stage.world.controller = None
            else:
                stage.world.links.cut(DR)
            await stage.clock.sleep(30.0)
            assert stage.world.writes_here(HOME)

    run_virtual(story)


def test_a_failover_brings_every_function_back_and_there_was_never_a_second_writer() -> None:
    async def story() -> None:
        async with under_load() as (stage, clients):
            cut = stage.clock.wall_seconds()
            stage.world.links.cut(HOME)
            await fail_over(stage)
            await stage.clock.sleep(5.0)
            stage.world.links.heal(HOME)
            await stage.clock.sleep(10.0)
            found = entries_of(clients)
            for ledger in clients.ledgers.values():
                outage = recovery(ledger, cut)
                assert outage is not None and outage.until_seconds is not None
                assert outage.until_seconds - cut < 60
            contents = [content for region in (HOME, DR) for content in stage.world.contents(region)]
            assert single_writer(found, contents).violations == ()
            lost = loss(found, stage.world.contents(DR))
            assert lost.span_seconds() < 1.0
            assert stage.world.regions[HOME].agent.holder == DR, "the old source has learned that it is one no longer"
            assert not stage.world.writes_here(HOME)

    run_virtual(story)


def test_the_same_story_twice_has_the_same_history() -> None:
    async def story() -> list[LedgerEntry]:
        async with under_load() as (stage, clients):
            stage.world.links.cut(HOME)
            await fail_over(stage)
            await stage.clock.sleep(5.0)
            return entries_of(clients)

    assert run_virtual(story) == run_virtual(story)


def test_a_switchover_with_both_sides_up_loses_nothing_and_goes_home_again() -> None:
    async def story() -> None:
        async with under_load() as (stage, clients):
            await stage.do("fence", Order(0, 2, 1, 1), Mode.GRACEFUL)
            await fail_over(stage, FAILOVER[1:])
            for step, block in enumerate(("postgres.reprotect", "redis.reprotect", "bucket.reconcile"), start=30):
                await stage.do(block, Order(0, 2, 1, step))
            await stage.clock.sleep(5.0)
            found = entries_of(clients)
            assert loss(found, stage.world.contents(DR)).lost == ()
            assert stage.world.regions[HOME].postgres.follows_truly(stage.world.regions[DR].postgres)

    run_virtual(story)


def test_without_consent_nobody_is_promoted() -> None:
    async def story() -> None:
        async with under_load() as (stage, _):
            outcome = await stage.actions["postgres.promote"].act(task_of(PLAN, "postgres.promote", Order(0, 2, 1, 1)))
            assert outcome.result is Result.FAILED
            assert "fence first" in outcome.detail
            assert stage.world.regions[DR].postgres.role is StoreRole.STANDBY

    run_virtual(story)


def test_synchronous_mode_loses_no_acknowledged_write() -> None:
    plan = PLAN.model_copy(update={"replication": "synchronous"})

    async def story() -> None:
        async with under_load(plan) as (stage, clients):
            stage.world.links.cut_between(HOME, DR)
            await stage.clock.sleep(2.0)
            assert results_since(clients, "pms", stage.clock.wall_seconds() - 1.0) <= {RequestResult.UNKNOWN}
            stage.world.links.cut(HOME)
            await fail_over(stage)
            missing = [entry for entry in loss(entries_of(clients), stage.world.contents(DR)).lost if entry.store == "database"]
            assert missing == []

    run_virtual(story)


def test_observers_see_silence_behind_a_cut_and_a_silent_observer_is_an_error() -> None:
    async def story() -> None:
        async with under_load() as (stage, _):
            observer = SimulatedObserver(stage.world, "outside")
            observer.look()
            before = await observer.since(0)
            assert {observation.seen.value for observation in before} == {"up"}
            assert [observation.sequence for observation in before] == list(range(1, len(before) + 1))
            stage.world.links.cut(HOME)
            await stage.clock.sleep(1.0)
            observer.look()
            after = await observer.since(before[-1].sequence)
            silent = {(observation.region, observation.subject.value) for observation in after if observation.seen.value == "silent"}
            assert silent == {(HOME, subject) for subject in ("transaction", "postgres", "redis", "bucket", "http", "agent", "zone")}
            stage.world.links.cut("outside")
            with pytest.raises(TimeoutError):
                await observer.since(0)

    run_virtual(story)


def test_a_fence_that_is_waited_out_is_seen_again_by_another_controller() -> None:
    async def story() -> None:
        async with under_load() as (stage, _):
            stage.world.links.cut(HOME)
            await stage.do("fence", Order(0, 2, 1, 1))
            finding = await stage.actions["fence"].check(task_of(PLAN, "fence", Order(0, 2, 2, 1)))
            assert (finding.answer, finding.facts["how"]) == (Answer.YES, "lease-ran-out")

    run_virtual(story)
