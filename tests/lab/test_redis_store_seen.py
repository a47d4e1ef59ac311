"""Redis as observers and the controller see it: real servers, a relay that can fall silent, answers within their time."""

import time
from collections.abc import Iterator

import pytest

from holdfast.fencing.order import Order
from holdfast.health.observation import Seen
from holdfast.plan.bindings import RedisBinding
from holdfast.ports.action import Answer, Mode, Task
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.redis.probe import RedisProbe
from holdfast.providers.redis.verify import prove_writer
from lab.postgres_store_rig import EAST, WEST, SilentRelay
from lab.redis_store_rig import RedisPair, RedisSide, redis_pair

CLOCK = SystemClock()
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def regions() -> Iterator[RedisPair]:
    with redis_pair() as both:
        both.west.store.initialise_writer(0, 1)
        both.west.store.start_writer(0, 1)
        both.east.store.start_replica()
        assert both.east.store._follows_within(10)
        yield both


def binding(side: RedisSide, port: int | None = None) -> RedisBinding:
    here = side.configuration
    return RedisBinding(host=here.host, port=port or here.port, password_file=here.password_file)


def probe(side: RedisSide, port: int | None = None) -> RedisProbe:
    return RedisProbe("witness", "cache", side.configuration.region, binding(side, port), CLOCK, timeout_seconds=0.6)


def task(target: str, epoch: int) -> Task:
    return Task("promote", "redis.promote", "cache", WEST, target, Mode.UNGRACEFUL, Order(0, epoch, 1, 1))


async def test_a_master_has_taken_the_observers_write_and_a_replica_says_how_old_it_is(regions: RedisPair) -> None:
    regions.west.store.heartbeat(time.time(), 1)
    master, replica = probe(regions.west), probe(regions.east)
    seen = await master.observe()
    assert (seen.seen, seen.facts["role"], seen.facts["epoch"], seen.facts["replicas"]) == (Seen.UP, "master", 1, 1), seen
    assert regions.west.ask("EXISTS", "holdfast:probe:witness") == 1
    seen = await replica.observe()
    assert (seen.seen, seen.facts["role"], seen.facts["link_up"]) == (Seen.UP, "replica", True)
    assert seen.facts["lag_seconds"] < 5
    await master.close()
    await replica.close()


async def test_refusal_is_down_and_silence_is_silent_within_the_time_and_both_heal(regions: RedisPair) -> None:
    refused = await probe(regions.west, port=1).observe()
    assert (refused.seen, "refuses connections" in refused.detail) == (Seen.DOWN, True), refused
    async with SilentRelay(regions.west.configuration.host, regions.west.configuration.port) as relay:
        through = probe(regions.west, relay.port)
        assert (await through.observe()).seen is Seen.UP
        for silent in (True, True, False):
            relay.silent = silent
            started = time.monotonic()
            seen = await through.observe()
            assert seen.seen is (Seen.SILENT if silent else Seen.UP), seen
            assert time.monotonic() - started < 0.9
        await through.close()


async def test_a_server_that_was_restarted_between_two_looks_is_up(regions: RedisPair) -> None:
    looking = probe(regions.east)
    assert (await looking.observe()).seen is Seen.UP
    regions.east.store.stop_gracefully(20)
    assert (await looking.observe()).seen is Seen.DOWN
    regions.east.store.start_replica()
    assert (await looking.observe()).seen is Seen.UP
    await looking.close()


async def test_a_proof_needs_a_master_and_the_right_epoch(regions: RedisPair) -> None:
    prove = prove_writer({WEST: binding(regions.west), EAST: binding(regions.east)})
    assert (await prove(task(WEST, 1))).answer is Answer.YES
    assert (await prove(task(WEST, 2))).answer is Answer.NO
    assert (await prove(task(EAST, 1))).answer is Answer.NO
