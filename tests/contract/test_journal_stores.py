"""The journal in SQLite and the one in memory keep the same contract; then what only files can suffer."""

import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.journal_suite import ClosableStore, Ground, JournalSuite, Promises, chain
from holdfast.journal.record import first_break
from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalFull
from holdfast.providers.sqlite.journal import JournalReader, SqliteJournal
from holdfast.providers.sqlite.promises import SqlitePromises
from holdfast.simulation.journal import ControllerCrash, JournalFault, MemoryDisk, MemoryJournal, MemoryPromises


class SqliteGround:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[SqliteJournal] = []

    def open(self) -> ClosableStore:
        self.opened.append(SqliteJournal(self.path))
        return self.opened[-1]

    def promises(self, store: ClosableStore) -> Promises:
        assert isinstance(store, SqliteJournal)
        return SqlitePromises(store.database)

    def fill(self, store: ClosableStore) -> None:
        assert isinstance(store, SqliteJournal)
        store.database.rows("PRAGMA max_page_count = 1")  # SQLite's own word for a full disk: the same error code

    def empty(self, store: ClosableStore) -> None:
        assert isinstance(store, SqliteJournal)
        store.database.rows("PRAGMA max_page_count = 100000")


class MemoryGround:
    def __init__(self) -> None:
        self.disk = MemoryDisk()

    def open(self) -> ClosableStore:
        return MemoryJournal(self.disk)

    def promises(self, store: ClosableStore) -> Promises:
        return MemoryPromises(self.disk)

    def fill(self, store: ClosableStore) -> None:
        self.disk.faults[self.disk.appends + 1] = JournalFault.FULL

    def empty(self, store: ClosableStore) -> None:
        self.disk.faults.clear()


class TestSqliteJournal(JournalSuite):
    implementations = (SqliteJournal,)

    @pytest.fixture
    def ground(self, tmp_path: Path) -> Iterator[Ground]:
        ground = SqliteGround(tmp_path / "journal.db")
        yield ground
        for journal in ground.opened:
            journal.close()


class TestMemoryJournal(JournalSuite):
    implementations = (MemoryJournal,)

    @pytest.fixture
    def ground(self) -> Ground:
        return MemoryGround()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A journal of 40 records, closed."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    journal.append(chain(journal.head(), 40))
    journal.close()
    return path


def test_a_killed_writer_loses_nothing_and_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    program = """
        import sys, time
        sys.path.insert(0, "tests")
        from pathlib import Path
        from contract.journal_suite import chain
        from holdfast.providers.sqlite.journal import SqliteJournal
        journal = SqliteJournal(Path(sys.argv[1]))
        while True:
            journal.append(chain(journal.head(), 1))
            print(journal.head()[0], flush=True)
    """
    writer = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        for _ in range(30):
            last = int(writer.stdout.readline())
        with pytest.raises(JournalConflict, match="another controller"):
            SqliteJournal(path)
        with JournalReader(path) as beside:
            assert beside.head()[0] >= last
            assert beside.fault() is None
        writer.send_signal(signal.SIGKILL)
        last = max([last, *(int(line) for line in writer.stdout.read().splitlines())])
    finally:
        writer.kill()
        writer.wait(10)
        if writer.stdout is not None:
            writer.stdout.close()
    journal = SqliteJournal(path)
    assert last <= journal.head()[0] <= last + 1
    assert first_break(journal.read()) is None
    journal.close()


def test_a_writer_that_may_not_write_more_says_full_and_the_rest_stays_whole(tmp_path: Path) -> None:
    """A real refusal by the kernel, in a process of its own: its files may not grow beyond 256 KiB."""
    path = tmp_path / "journal.db"
    program = """
        import resource, signal, sys
        sys.path.insert(0, "tests")
        from pathlib import Path
        from contract.journal_suite import chain
        from holdfast.ports.journal_store import JournalFull
        from holdfast.providers.sqlite.journal import SqliteJournal
        journal = SqliteJournal(Path(sys.argv[1]))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (262144, 262144))
        try:
            while True:
                journal.append(chain(journal.head(), 20))
        except JournalFull as error:
            print(journal.head()[0], error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert "free space" in done.stdout, done.stderr
    with JournalReader(path) as journal:
        assert journal.head()[0] == int(done.stdout.split()[0])
        assert journal.fault() is None


@pytest.mark.root
def test_a_full_disk_is_said_and_when_there_is_room_again_it_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "holdfast-test", str(disk)], check=True)
    try:
        journal = SqliteJournal(disk / "journal.db")
        journal.append(chain(journal.head(), 10))
        ballast = disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(b"x" * 1024 * 1024)
        with pytest.raises(JournalFull, match="free space"):
            for _ in range(100):
                journal.append(chain(journal.head(), 20))
        head = journal.head()
        ballast.unlink()
        journal.append(chain(head, 20))
        assert journal.fault() is None
        journal.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"schema: holdfast/plan/v1\n" * 100, "file is not a database"), (b"", ""), (b"SQLite format 3\x00" + b"\xff" * 4096, "journal")],
)
def test_a_file_that_is_no_journal_is_left_as_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    if not content:
        SqliteJournal(path).close()  # an empty file is nothing yet
        return
    with pytest.raises(JournalBroken, match=said):
        SqliteJournal(path)
    with pytest.raises(JournalBroken, match=said):
        JournalReader(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE journal (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(JournalBroken, match="not a Holdfast journal"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalFull, match="cannot be opened"):
        SqliteJournal(tmp_path / "file" / "journal.db")
    with pytest.raises(JournalBroken, match="no journal here"):
        JournalReader(tmp_path / "absent.db")


def _change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for trigger in ("journal_never_changes", "journal_never_shrinks"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE journal SET body = replace(body, 'note', 'nothing') WHERE sequence = 17", r"record 17 \(command\) was changed"),
        ("UPDATE journal SET body = 'no json' WHERE sequence = 17", r"record 17 \(command\) was changed"),
        ("UPDATE journal SET at_seconds = at_seconds + 1 WHERE sequence = 3", "record 3"),
        ("DELETE FROM journal WHERE sequence = 20", "record 20 is missing"),
        ("DELETE FROM journal WHERE sequence = 1", "record 1 is missing"),
        ("DELETE FROM journal WHERE sequence > 35", "records 36 to 40 were written and are gone"),
    ],
)
def test_tampering_is_found_with_its_place_and_nobody_writes_behind_it(written: Path, statement: str, said: str) -> None:
    _change(written, statement)
    with JournalReader(written) as journal:
        assert re.search(said, journal.fault() or "")
    before = written.read_bytes()
    with pytest.raises(JournalBroken, match=said):
        SqliteJournal(written)
    assert written.read_bytes() == before


def test_the_file_itself_refuses_changes(written: Path) -> None:
    connection = sqlite3.connect(written)
    for statement in ("UPDATE journal SET kind = 'x'", "DELETE FROM journal"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("kept_bytes", [100, 5000, 12000])
def test_a_torn_file_is_said_and_left_as_it_is(written: Path, kept_bytes: int) -> None:
    content = written.read_bytes()[:kept_bytes]
    written.write_bytes(content)
    with pytest.raises(JournalBroken, match=str(written)):
        SqliteJournal(written)
    assert written.read_bytes() == content


def test_a_lost_tail_of_the_log_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    journal.append(chain(journal.head(), 5))
    log = path.with_name("journal.db-wal")
    kept = log.stat().st_size
    journal.append(chain(journal.head(), 2))
    # As a crash leaves it: the log is not put into the file.
    copies = {name: path.with_name(name).read_bytes() for name in ("journal.db", "journal.db-wal", "journal.db.lock")}
    journal.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name, content in copies.items():
        (elsewhere / name).write_bytes(content[:kept] if name.endswith("-wal") else content)
    with pytest.raises(JournalBroken, match="records 6 to 7 were written and are gone"):
        SqliteJournal(elsewhere / "journal.db")


def test_a_reader_needs_no_right_to_write(written: Path) -> None:
    written.with_name("journal.db.lock").unlink()
    written.parent.chmod(0o555)
    try:
        with JournalReader(written) as journal:
            assert journal.head()[0] == 40
            assert journal.fault() is None
    finally:
        written.parent.chmod(0o755)


def test_append_is_durable_quickly_enough(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    durations = []
    for _ in range(50):
        started = time.perf_counter()
        journal.append(chain(journal.head(), 1))
        durations.append(time.perf_counter() - started)
    journal.close()
    assert sorted(durations)[25] < 0.05, "ten times the promise of bench/journal.py: machines that test are busy"


class TestCrashesInMemory:
    def test_a_crash_before_loses_the_records_and_one_after_keeps_them(self) -> None:
        for fault, kept in ((JournalFault.CRASH_BEFORE, 1), (JournalFault.CRASH_AFTER, 2)):
            disk = MemoryDisk(faults={2: fault})
            journal = MemoryJournal(disk)
            journal.append(chain(journal.head(), 1))
            with pytest.raises(ControllerCrash):
                journal.append(chain(journal.head(), 1))
            with pytest.raises(ControllerCrash):
                journal.append(chain(journal.head(), 1))
            assert MemoryJournal(disk).head()[0] == kept

    def test_a_torn_end_reads_as_shorter_and_a_change_as_broken(self) -> None:
        disk = MemoryDisk()
        journal = MemoryJournal(disk)
        journal.append(chain(journal.head(), 5))
        journal.close()
        disk.tear(2)
        journal = MemoryJournal(disk)
        assert journal.head()[0] == 3
        journal.close()
        disk.tamper(2, {"verb": "nothing"})
        with pytest.raises(JournalBroken, match="record 2"):
            MemoryJournal(disk)
