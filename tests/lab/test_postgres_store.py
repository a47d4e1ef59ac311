"""PostgreSQL as the agent's store, on real servers: promotion, fences at bad moments, and the way back."""

import os
import shutil
import signal
import time
from collections.abc import Iterator

import pytest

from holdfast.agent.postgres_wire import Connection, StatementError
from holdfast.agent.server_process import until
from holdfast.agent.store import StoreFailure, StoreRefusal
from lab.postgres_store_rig import EAST, WEST, Pair, Side, pair, processes_in


@pytest.fixture
def regions() -> Iterator[Pair]:
    with pair() as both:
        yield both


def serve(both: Pair) -> None:
    """West writes under epoch 1, east follows."""
    both.west.store.start_writer(0, 1)
    both.east.store.start_replica()
    assert both.east.store._follows_within(10)


def caught_up(both: Pair) -> None:
    position = both.west.ask("SELECT pg_current_wal_lsn()").one()[0]
    for _ in until(10):
        if both.east.ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'").one()[0] == "t":
            return
    raise AssertionError("the replica did not catch up")


def calls(side: Side, expected: int) -> list[str | None]:
    """The rows, once there are as many as expected or ten seconds have gone by."""
    for _ in until(10):
        rows = [row[0] for row in side.ask("SELECT id FROM call ORDER BY id").rows]
        if len(rows) == expected:
            break
    return rows


def writer_mark(side: Side) -> tuple[str | None, ...]:
    return side.ask("SELECT era, epoch, region FROM holdfast.writer").one()


def test_a_region_is_lost_the_other_takes_over_and_the_first_comes_back_as_its_replica(regions: Pair) -> None:
    serve(regions)
    regions.west.ask("INSERT INTO call VALUES (1)")
    regions.west.store.heartbeat(1_000_000.25, 1)
    caught_up(regions)
    assert regions.west.store.status()["role"] == "writer"
    assert regions.west.store.status()["replicas"] == [f"{EAST}=async"]
    assert regions.east.store.status()["role"] == "replica"

    regions.west.launcher.kill_everything()
    assert not regions.west.store.alive()
    facts = regions.east.store.promote(0, 2, {})
    assert facts["last_heartbeat_seconds"] is not None
    assert writer_mark(regions.east) == ("0", "2", EAST)
    assert regions.east.ask("INSERT INTO call VALUES (2) RETURNING epoch").one() == ("2",)
    assert regions.east.store.promote(0, 2, {})["how"] == "already"

    facts = regions.west.store.become_replica()
    assert facts["how"] == "rewind", facts
    assert regions.west.store.become_replica()["how"] == "already"
    assert calls(regions.west, 2) == ["1", "2"]
    assert regions.west.store.status()["timeline"] == 2


def test_writes_that_only_the_lost_region_has_are_undone_by_its_return(regions: Pair) -> None:
    serve(regions)
    caught_up(regions)
    regions.east.store.stop_gracefully(20)
    regions.west.ask("INSERT INTO call SELECT generate_series(1, 500)")
    regions.west.launcher.kill_everything()
    regions.east.store.start_replica()
    regions.east.store.promote(0, 2, {})
    regions.east.ask("INSERT INTO call VALUES (1000)")
    assert regions.west.store.become_replica()["how"] == "rewind"
    assert calls(regions.west, 1) == ["1000"]


def test_a_planned_switch_there_and_back_loses_nothing(regions: Pair) -> None:
    serve(regions)
    regions.west.ask("INSERT INTO call SELECT generate_series(1, 2000)")
    position = regions.west.store.stop_gracefully(20)
    assert position["postgres_lsn"] and position["postgres_replica_connected"] is True
    assert not processes_in(regions.west.launcher.directory)
    regions.east.store.promote(0, 2, {**position, "redis_offset": 5})
    assert regions.east.ask("SELECT count(*) FROM call").one()[0] == "2000"
    regions.west.store.become_replica()
    regions.east.ask("INSERT INTO call SELECT generate_series(2001, 4000)")
    position = regions.east.store.stop_gracefully(20)
    regions.west.store.promote(0, 3, position)
    assert regions.west.ask("SELECT count(*) FROM call").one()[0] == "4000"
    assert regions.east.store.become_replica()["how"] == "rewind"


def test_a_replica_that_lacks_the_sources_last_position_is_not_promoted(regions: Pair) -> None:
    serve(regions)
    regions.east.store.stop_gracefully(20)
    regions.west.ask("INSERT INTO call VALUES (1)")
    position = regions.west.store.stop_gracefully(20)
    assert position["postgres_replica_connected"] is False
    regions.east.store.start_replica()
    with pytest.raises(StoreRefusal, match="would lose acknowledged writes"):
        regions.east.store.promote(0, 2, position)
    assert regions.east.store.status()["role"] == "replica"


def test_a_fenced_writer_starts_again_under_its_epoch_and_a_replica_never_starts_as_writer(regions: Pair) -> None:
    serve(regions)
    regions.west.ask("INSERT INTO call VALUES (1)")
    regions.west.launcher.kill_everything()
    assert (regions.west.launcher.directory / "standby.signal").exists()
    regions.west.again().store.start_writer(0, 1)
    assert (regions.west.launcher.directory / "standby.signal").exists()
    assert regions.west.ask("INSERT INTO call VALUES (2) RETURNING epoch").one() == ("1",)
    for graceful in (True, False):
        if graceful:
            regions.east.store.stop_gracefully(20)
        else:
            regions.east.store.start_replica()
            regions.east.launcher.kill_everything()
        with pytest.raises(StoreRefusal, match="never promoted"):
            regions.east.store.start_writer(0, 2)
        assert not regions.east.store.alive()


def test_a_server_that_an_earlier_agent_started_is_found_and_stopped(regions: Pair) -> None:
    regions.west.store.start_writer(0, 1)
    later = regions.west.again()
    assert later.store.alive()
    assert later.store.status()["role"] == "writer"
    later.store.start_writer(0, 1)
    assert later.launcher.started == []
    later.store.stop_gracefully(20)
    assert not later.store.alive()


def test_a_frozen_server_holds_neither_heartbeat_nor_status(regions: Pair) -> None:
    regions.west.store.start_writer(0, 1)
    regions.west.store.heartbeat(time.time(), 1)
    assert regions.west.store.status()["role"] == "writer"
    frozen = processes_in(regions.west.launcher.directory)
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(StoreFailure):
        regions.west.store.heartbeat(time.time(), 1)
    status = regions.west.store.status()
    assert time.monotonic() - started < 3
    assert (status["running"], status["role"]) == (True, "unknown")
    for process in frozen:
        os.kill(process, signal.SIGCONT)
    regions.west.store.heartbeat(time.time(), 1)


def test_a_directory_that_a_rewind_may_have_half_changed_is_replaced_and_kept(regions: Pair) -> None:
    serve(regions)
    caught_up(regions)
    regions.west.launcher.kill_everything()
    regions.east.store.promote(0, 2, {})
    regions.west.configuration.rewinding_sign.touch()
    facts = regions.west.store.become_replica()
    assert facts["how"] == "copy"
    assert regions.west.configuration.aside_directory.is_dir()
    assert (regions.west.launcher.directory / "standby.signal").exists()
    assert not regions.west.configuration.rewinding_sign.exists()


def test_an_empty_region_is_filled_from_its_peer_and_a_running_writer_is_no_replica(regions: Pair) -> None:
    regions.west.store.start_writer(0, 1)
    shutil.rmtree(regions.east.launcher.directory)
    regions.east.store.start_replica()
    assert regions.east.store._follows_within(10)
    with pytest.raises(StoreRefusal, match="fence it"):
        regions.west.store.become_replica()


def test_a_promotion_cut_short_before_its_mark_is_finished_by_the_next_attempt(regions: Pair) -> None:
    serve(regions)
    caught_up(regions)
    regions.west.launcher.kill_everything()
    regions.east.ask("SELECT pg_promote()")
    assert writer_mark(regions.east) == ("0", "1", WEST)
    assert regions.east.store.promote(0, 2, {})["how"] == "already"
    assert writer_mark(regions.east) == ("0", "2", EAST)
    with pytest.raises(StoreRefusal, match="no replica"):
        regions.east.store.promote(0, 3, {})


def test_an_empty_place_becomes_a_database_with_the_mark_and_stays_barred(regions: Pair) -> None:
    shutil.rmtree(regions.west.launcher.directory)
    regions.west.launcher.directory.mkdir()
    regions.west.store.initialise_writer(0, 1)
    assert not regions.west.store.alive()
    regions.west.store.start_writer(0, 1)
    assert writer_mark(regions.west) == ("0", "1", WEST)
    shutil.rmtree(regions.east.launcher.directory)
    regions.east.store.start_replica()
    assert regions.east.store._follows_within(10)


def test_in_synchronous_mode_commits_wait_for_the_replica_but_the_agents_own_do_not() -> None:
    with pair(synchronous=True) as both:
        both.west.store.start_writer(0, 1)
        both.west.store.heartbeat(time.time(), 1)
        with Connection(both.west.configuration.address(), 5) as session:
            with pytest.raises(TimeoutError):
                session.query("INSERT INTO call VALUES (1)", 0.5)
        both.east.store.start_replica()
        assert both.east.store._follows_within(10)
        both.west.ask("INSERT INTO call VALUES (2)")
        both.west.launcher.kill_everything()
        both.east.store.promote(0, 2, {})
        both.east.ask("INSERT INTO call VALUES (3)")
        both.west.store.become_replica()
        assert both.east.store.set_synchronous("synchronous")["mode"] == "synchronous"
        both.east.ask("INSERT INTO call VALUES (4)")
        assert both.east.store.status()["synchronous"] is True
        both.west.store.stop_gracefully(20)
        both.east.store.set_synchronous("asynchronous")
        both.east.ask("INSERT INTO call VALUES (5)")


def test_a_wrong_password_is_the_servers_own_refusal(regions: Pair) -> None:
    regions.west.store.start_writer(0, 1)
    (regions.root / "admin").write_text("wrong")
    with pytest.raises(StatementError, match="28P01"):
        regions.west.ask("SELECT 1")
