"""PostgreSQL as observers and the controller see it: real servers, a relay that can fall silent, answers within their time."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from holdfast.agent.postgres import PostgresStore
from holdfast.agent.server_process import until
from holdfast.fencing.order import Order
from holdfast.health.observation import Seen
from holdfast.plan.bindings import PostgresBinding
from holdfast.ports.action import Answer, Mode, Result, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.postgres.probe import PostgresProbe
from holdfast.providers.postgres.verify import PostgresVerifyAction, prove_writer
from lab.postgres_store_rig import EAST, WEST, Pair, Side, SilentRelay, pair

CLOCK = SystemClock()
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def regions() -> Iterator[Pair]:
    with pair() as both:
        both.west.store.start_writer(0, 1)
        both.east.store.start_replica()
        assert both.east.store._follows_within(10)
        yield both


def binding(side: Side, host: str | None = None, port: int | None = None) -> PostgresBinding:
    here = side.configuration
    return PostgresBinding(
        host=host or here.host, port=port or here.port, database="voicehive", user="holdfast", password_file=here.admin_password_file
    )


def probe(side: Side, host: str | None = None, port: int | None = None) -> PostgresProbe:
    return PostgresProbe("witness", "database", side.configuration.region, binding(side, host, port), CLOCK, timeout_seconds=0.6)


def task(target: str, epoch: int) -> Task:
    return Task("promote", "postgres.promote", "database", WEST, target, Mode.UNGRACEFUL, Order(0, epoch, 1, 1))


async def test_a_primary_has_committed_the_observers_heartbeat_and_a_standby_has_replayed_it(regions: Pair) -> None:
    primary, standby = probe(regions.west), probe(regions.east)
    regions.west.store.heartbeat(time.time(), 1)
    seen = await primary.observe()
    assert (seen.seen, seen.facts["role"], seen.facts["epoch"], seen.facts["replicas"]) == (Seen.UP, "primary", 1, 1), seen
    assert regions.west.ask("SELECT count(*) FROM holdfast.heartbeat WHERE source = 'witness'").one() == ("1",)
    assert seen.latency_seconds < 0.6
    for _ in until(5):
        seen = await standby.observe()
        if seen.facts.get("heartbeat_age_seconds", 99) < 5:
            break
    assert (seen.seen, seen.facts["role"], seen.facts["streaming"]) == (Seen.UP, "standby", True)
    assert seen.facts["replay_lag_seconds"] < 5
    await primary.close()
    await standby.close()


async def test_refusal_is_down_and_silence_is_silent_within_the_time_and_both_heal(regions: Pair) -> None:
    refused = await probe(regions.west, port=1).observe()
    assert (refused.seen, "refuses connections" in refused.detail) == (Seen.DOWN, True)
    async with SilentRelay(regions.west.configuration.host, regions.west.configuration.port) as relay:
        through = probe(regions.west, "127.0.0.1", relay.port)
        assert (await through.observe()).seen is Seen.UP
        for silent in (True, True, False):
            relay.silent = silent
            started = time.monotonic()
            seen = await through.observe()
            assert seen.seen is (Seen.SILENT if silent else Seen.UP), seen
            assert time.monotonic() - started < 0.9
        relay.silent = True
        fresh = await probe(regions.west, "127.0.0.1", relay.port).observe()
        assert fresh.seen is Seen.SILENT
        await through.close()


async def test_a_server_that_was_restarted_between_two_looks_is_up(regions: Pair) -> None:
    looking = probe(regions.east)
    assert (await looking.observe()).seen is Seen.UP
    regions.east.store.stop_gracefully(20)
    assert (await looking.observe()).seen is Seen.DOWN
    regions.east.store.start_replica()
    assert (await looking.observe()).seen is Seen.UP
    await looking.close()


async def test_a_proof_needs_a_primary_and_the_right_epoch(regions: Pair) -> None:
    databases = {WEST: binding(regions.west), EAST: binding(regions.east)}
    prove = prove_writer(databases)
    assert (await prove(task(WEST, 1))).answer is Answer.YES
    assert (await prove(task(WEST, 2))).answer is Answer.NO
    assert (await prove(task(EAST, 1))).answer is Answer.NO
    assert (await prove_writer({WEST: binding(regions.west, port=1)})(task(WEST, 1))).answer is Answer.NO
    async with SilentRelay(regions.west.configuration.host, regions.west.configuration.port) as relay:
        relay.silent = True
        looking = asyncio.ensure_future(prove_writer({WEST: binding(regions.west, "127.0.0.1", relay.port)})(task(WEST, 1)))
        await asyncio.sleep(0.2)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(looking, 1)


async def test_a_database_with_orphans_is_not_whole(regions: Pair) -> None:
    verify = PostgresVerifyAction({WEST: binding(regions.west)})
    regions.west.ask('CREATE TABLE "Guest" (id int PRIMARY KEY); CREATE TABLE stay (id int, guest int REFERENCES "Guest")')
    regions.west.ask('INSERT INTO "Guest" VALUES (1); INSERT INTO stay VALUES (1, 1), (2, NULL)')
    outcome = await verify.act(task(WEST, 1))
    assert outcome.result is Result.SUCCEEDED, outcome
    assert (await verify.verify(task(WEST, 1))).answer is Answer.YES
    regions.west.ask("SET session_replication_role = replica; INSERT INTO stay VALUES (3, 99)")
    outcome = await verify.act(task(WEST, 1))
    assert (outcome.result, "point at nothing" in outcome.detail) == (Result.FAILED, True)
    regions.west.ask('DROP TABLE stay; DROP TABLE "Guest"')


@pytest.mark.parametrize("cut_for_seconds", [0.3, 7.0], ids=["while it streams", "while it tries to connect again"])
async def test_a_replica_behind_a_link_that_holds_everything_is_promoted_at_once(cut_for_seconds: float) -> None:
    with pair() as both:
        async with SilentRelay(both.west.configuration.host, both.west.configuration.port) as relay:
            through = replace(both.east.configuration, peer_host="127.0.0.1", peer_port=relay.port)
            store = PostgresStore(through, both.east.launcher)
            await asyncio.to_thread(both.west.store.start_writer, 0, 1)
            await asyncio.to_thread(store.start_replica)
            assert await asyncio.to_thread(store._follows_within, 10)
            relay.silent = True
            await asyncio.sleep(cut_for_seconds)
            facts = await asyncio.to_thread(store.promote, 0, 2, {})
            assert facts["promote_seconds"] < 2, facts
            assert both.east.ask("INSERT INTO call VALUES (1) RETURNING epoch").one() == ("2",)
            print("promoted behind a cut link", facts["promote_seconds"])
            store.close()
