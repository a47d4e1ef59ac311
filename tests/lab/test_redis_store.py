"""Redis as the agent's store, on real servers: promotion, a fence, and the way back."""

import json
import subprocess
import time
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from holdfast.agent.redis_wire import Connection, RedisError, RedisRefusal
from holdfast.agent.server_process import until
from holdfast.agent.store import StoreFailure, StoreRefusal
from lab.postgres_store_rig import EAST, WEST
from lab.redis_store_rig import RedisPair, RedisSide, redis_pair


@pytest.fixture
def regions() -> Iterator[RedisPair]:
    with redis_pair() as both:
        yield both


@pytest.fixture
def synchronous() -> Iterator[RedisPair]:
    with redis_pair(synchronous=True) as both:
        yield both


def serve(both: RedisPair) -> None:
    """West writes under epoch 1, east follows."""
    both.west.store.initialise_writer(0, 1)
    both.west.store.start_writer(0, 1)
    both.east.store.start_replica()
    assert both.east.store._follows_within(10)


def mark(side: RedisSide) -> tuple[int, int, str]:
    held = json.loads(str(side.ask("GET", "holdfast:writer")))
    return held["era"], held["epoch"], held["region"]


def needed(side: RedisSide) -> int:
    return int(json.loads(str(side.ask("GET", "holdfast:writer")))["replicas"])


def caught_up(both: RedisPair) -> None:
    assert both.west.ask("SET", "caught", "up") == "OK"
    for _ in until(5):
        if both.east.ask("GET", "caught") == "up":
            return
    raise AssertionError("the replica did not catch up")


def test_a_region_is_lost_the_other_takes_over_and_the_first_comes_back_as_its_replica(regions: RedisPair) -> None:
    serve(regions)
    regions.west.store.heartbeat(1_000_000.25, 1)
    caught_up(regions)
    assert regions.west.store.status()["role"] == "writer"
    assert regions.east.store.status()["last_heartbeat_seconds"] == 1_000_000.25
    regions.west.launcher.kill_everything()
    facts = regions.east.store.promote(0, 2, {})
    assert facts["last_heartbeat_seconds"] == 1_000_000.25
    assert mark(regions.east) == (0, 2, EAST)
    regions.east.ask("SET", "after", "1")
    assert regions.east.store.promote(0, 2, {})["how"] == "already"
    with pytest.raises(StoreRefusal, match="no replica"):
        regions.east.store.promote(0, 3, {})
    facts = regions.west.store.become_replica()
    assert facts["how"] == "copy"
    assert regions.west.configuration.aside_directory.is_dir()
    assert regions.west.ask("GET", "after") == "1"
    assert regions.west.store.become_replica()["how"] == "already"


def test_the_mark_says_how_many_replicas_a_write_needs_through_promotion_order_and_restart(synchronous: RedisPair) -> None:
    both = synchronous
    serve(both)
    assert (needed(both.west), both.west.store.status()["synchronous"]) == (1, True)
    assert both.west.store.set_synchronous("asynchronous")["mode"] == "asynchronous"
    both.west.launcher.kill_everything()
    both.west.store.close()
    both.west.store.start_writer(0, 1)
    assert (needed(both.west), both.west.store.status()["synchronous"]) == (0, False), "what was ordered outlives the server"
    both.west.store.set_synchronous("synchronous")
    caught_up(both)
    both.west.launcher.kill_everything()
    both.east.store.promote(0, 2, {})
    assert needed(both.east) == 0, "nobody follows it yet"
    assert both.east.store.promote(0, 2, {})["how"] == "already"
    both.west.store.become_replica()
    both.east.store.set_synchronous("synchronous")
    assert (needed(both.east), mark(both.east)) == (1, (0, 2, EAST))
    assert both.east.store.promote(0, 2, {})["how"] == "already"
    assert needed(both.east) == 1, "the same order again relaxes nothing"
    with pytest.raises(StoreRefusal, match="not the writer"):
        both.west.store.set_synchronous("asynchronous")


def test_a_planned_switch_under_load_loses_no_acknowledged_write(regions: RedisPair) -> None:
    serve(regions)
    acknowledged: list[int] = []
    stop = Event()

    def write() -> None:
        with Connection(
            regions.west.configuration.host, regions.west.configuration.port, regions.west.configuration.password(), 5
        ) as session:
            for number in range(1_000_000):
                try:
                    session.command("SET", f"n:{number}", "1", timeout_seconds=5)
                except (RedisError, RedisRefusal):
                    return
                acknowledged.append(number)

    writer = Thread(target=write)
    writer.start()
    for _ in until(5):
        if len(acknowledged) > 1000:
            break
    position = regions.west.store.stop_gracefully(20)
    stop.set()
    writer.join(10)
    assert position["redis_replica_connected"] is True
    assert not regions.west.store.alive()
    regions.east.store.promote(0, 2, {**position, "postgres_lsn": "0/1"})
    missing = [number for number in acknowledged if regions.east.ask("EXISTS", f"n:{number}") != 1][:5]
    assert missing == []
    regions.west.store.become_replica()
    position = regions.east.store.stop_gracefully(20)
    regions.west.store.promote(0, 3, position)
    assert mark(regions.west) == (0, 3, WEST)


def test_a_replica_that_lacks_the_sources_last_position_is_not_promoted(regions: RedisPair) -> None:
    serve(regions)
    regions.east.store.stop_gracefully(20)
    for number in range(200):
        regions.west.ask("SET", f"n:{number}", "x" * 100)
    position = regions.west.store.stop_gracefully(20)
    assert position["redis_replica_connected"] is False
    regions.east.store.start_replica()
    with pytest.raises(StoreRefusal, match="would lose"):
        regions.east.store.promote(0, 2, position)
    assert regions.east.store.status()["role"] == "replica"


def test_a_fenced_writer_starts_again_under_its_epoch_and_a_replica_never_starts_as_writer(regions: RedisPair) -> None:
    serve(regions)
    caught_up(regions)
    regions.west.launcher.kill_everything()
    regions.west.again().store.start_writer(0, 1)
    assert regions.west.ask("SET", "again", "1") == "OK"
    regions.east.store.stop_gracefully(20)
    with pytest.raises(StoreRefusal, match="never promoted"):
        regions.east.store.start_writer(0, 2)
    assert not regions.east.store.alive()


def test_a_start_by_anybody_else_is_a_replicas(regions: RedisPair) -> None:
    regions.west.store.initialise_writer(0, 1)
    regions.west.store.start_writer(0, 1)
    regions.west.launcher.kill_everything()
    binary = str(regions.west.configuration.binary)
    stranger = subprocess.Popen(
        [binary, str(regions.west.configuration.settings_file)], cwd=regions.west.launcher.directory, stdout=subprocess.DEVNULL
    )
    try:
        for _ in until(5):
            try:
                regions.west.ask("SET", "stray", "1")
            except RedisRefusal as refusal:
                assert refusal.code in ("READONLY", "LOADING")
                if refusal.code == "READONLY":
                    return
            except RedisError:
                continue
        raise AssertionError("it never answered")
    finally:
        stranger.kill()
        stranger.wait()


def test_a_directory_without_data_never_becomes_a_writer_unasked(regions: RedisPair) -> None:
    regions.west.configuration.directory.mkdir()
    with pytest.raises(StoreRefusal, match="empty its replicas"):
        regions.west.store.start_writer(0, 1)


def test_a_copy_that_failed_does_not_push_out_what_was_put_aside(regions: RedisPair, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(regions)
    regions.west.ask("SET", "only", "here")
    regions.west.launcher.kill_everything()
    regions.east.launcher.kill_everything()
    monkeypatch.setattr("holdfast.agent.redis._FOLLOWING_TIMEOUT_SECONDS", 0.5)
    for _ in range(2):
        with pytest.raises(StoreFailure, match="got no copy"):
            regions.west.store.become_replica()
    kept = regions.west.configuration.aside_directory
    assert any(b"only" in file.read_bytes() for file in kept.iterdir())


def test_a_silent_server_holds_neither_heartbeat_nor_status(regions: RedisPair) -> None:
    regions.west.store.initialise_writer(0, 1)
    regions.west.store.start_writer(0, 1)
    regions.west.store.heartbeat(time.time(), 1)
    child = regions.west.launcher.started[0]
    child.send_signal(19)
    started = time.monotonic()
    with pytest.raises(StoreFailure):
        regions.west.store.heartbeat(time.time(), 1)
    assert regions.west.store.status()["role"] == "unknown"
    assert time.monotonic() - started < 3
    child.send_signal(18)
    regions.west.store.heartbeat(time.time(), 1)
    assert regions.west.again().store.alive()
