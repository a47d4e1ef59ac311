"""A replica that is too far behind is replaced by a copy restored aside from a base backup and the log that was received beside it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from holdfast.agent.postgres import PostgresStore
from holdfast.agent.postgres_files import PostgresConfiguration, write_password_file
from holdfast.agent.server_process import until
from holdfast.agent.store import StoreFailure, StoreRefusal
from lab.postgres_store_rig import BIN, OS_USER, Pair, PlainLauncher, Side, pair


def _as_user(*command: str) -> list[str]:
    prefix = ["setpriv", "--reuid", OS_USER, "--regid", OS_USER, "--init-groups"] if OS_USER else []
    return [*prefix, *command]


def _restorable(both: Pair) -> Side:
    """East with a place for a backup and for received log."""
    known = both.east.configuration
    directories = {name: both.root / f"east-{name}" for name in ("backup", "received")}
    for directory in directories.values():
        directory.mkdir(mode=0o700)
        subprocess.run(["chown", f"{OS_USER}:", str(directory)] if OS_USER else ["true"], check=True)
    changed = replace(known, backup_directory=directories["backup"], received_directory=directories["received"])
    launcher = PlainLauncher(known.data_directory, OS_USER)
    return Side(PostgresStore(changed, launcher), launcher, changed)


@contextmanager
def _receiving(configuration: PostgresConfiguration) -> Iterator[None]:
    """PostgreSQL's own tools bring log and base backup from the peer, as the lab's do."""
    write_password_file(configuration)
    peer = f"{configuration.peer_conninfo(configuration.replication_user)} application_name=holdfast-archive"
    received, backup = str(configuration.received_directory), str(configuration.backup_directory)
    receiver = subprocess.Popen(_as_user(f"{BIN}/pg_receivewal", "-D", received, "-d", peer, "-w", "-s", "1"), env={**os.environ})
    try:
        for _ in until(10):
            if any(entry.suffix == ".partial" for entry in configuration.received_directory.iterdir()):  # type: ignore[union-attr]
                break
        subprocess.run(_as_user(f"{BIN}/pg_basebackup", "-D", backup, "-d", peer, "-w", "-X", "none", "-c", "fast"), check=True)
        yield
    finally:
        receiver.send_signal(signal.SIGTERM)
        receiver.wait(10)


def _calls(side: Side) -> int:
    return int(side.ask("SELECT count(*) FROM call").one()[0] or 0)


def test_what_the_replica_never_replayed_comes_back_from_the_archive_and_the_original_is_kept() -> None:
    with pair() as both:
        both.west.store.start_writer(0, 1)
        east = _restorable(both)
        east.store.start_replica()
        try:
            with _receiving(east.configuration):
                both.west.ask("INSERT INTO call (id) SELECT generate_series(1, 50)")
                for _ in until(10):
                    if _calls(east) == 50:
                        break
                east.ask("SELECT pg_wal_replay_pause()")
                both.west.ask("INSERT INTO call (id) SELECT generate_series(51, 80)")
                both.west.store.heartbeat(1_700_000_000.0, 1)
                end = str(both.west.ask("SELECT pg_current_wal_flush_lsn()").one()[0])
                _received(east.configuration, both, end)
            both.west.launcher.kill_everything()
            assert _calls(east) == 50, "the replica stands still"

            aside = east.store.restore_aside()
            assert aside["rows"] >= 80
            assert east.store.status()["role"] == "replica", "until it is verified nothing of the store was touched"
            assert _calls(east) == 50

            done = east.store.adopt_restored(0, 2)
            assert _calls(east) == 80
            status = east.store.status()
            assert (status["role"], status["epoch"], status["writer_region"]) == ("writer", 2, east.configuration.region)
            kept = east.configuration.data_directory.with_name("east.before-restore-1")
            assert done["kept"] == str(kept)
            assert (kept / "PG_VERSION").exists()
            east.ask("INSERT INTO call (id) VALUES (1000)")
            assert east.store.restore_aside() == {"how": "already"}
            assert east.store.adopt_restored(0, 2)["how"] == "already", "an order that is repeated changes nothing"
            assert _calls(east) == 81
        finally:
            east.store.close()
            east.launcher.kill_everything()


def _received(configuration: PostgresConfiguration, both: Pair, position: str) -> None:
    """Wait until the receiver says that it has written so far."""
    said = f"SELECT max(write_lsn) >= '{position}' FROM pg_stat_replication WHERE application_name = 'holdfast-archive'"
    for _ in until(10):
        if both.west.ask(said).one()[0] == "t":
            return
    rows = both.west.ask("SELECT application_name, write_lsn, flush_lsn FROM pg_stat_replication").rows
    raise AssertionError(f"the receiver did not write up to {position}: {rows}")


def test_a_spoilt_backup_is_found_out_aside_and_the_replica_stays_what_it_was() -> None:
    with pair() as both:
        both.west.store.start_writer(0, 1)
        east = _restorable(both)
        east.store.start_replica()
        try:
            with pytest.raises(StoreRefusal, match="no base backup"):
                east.store.restore_aside()
            both.west.ask("INSERT INTO call (id) SELECT generate_series(1, 5000)")
            node = str(both.west.ask("SELECT pg_relation_filepath('call')").one()[0])
            with _receiving(east.configuration):
                both.west.ask("INSERT INTO holdfast.heartbeat (source, at, epoch) VALUES ('test', now(), 1)")
            both.west.launcher.kill_everything()
            assert east.configuration.backup_directory is not None
            with (east.configuration.backup_directory / node).open("r+b") as file:
                file.seek(8192 * 2 + 100)
                file.write(b"spoilt" * 400)
            with pytest.raises(StoreFailure, match="not swapped in"):
                east.store.restore_aside()
            assert east.store.status()["role"] == "replica"
            assert _calls(east) == 5000
            with pytest.raises(StoreFailure, match="no verified copy"):
                east.store.adopt_restored(0, 2)
        finally:
            east.store.close()
            east.launcher.kill_everything()
