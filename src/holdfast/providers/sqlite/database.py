"""One SQLite file as durable ground for the journal and the promises: one writer, any number of readers.

Rules: write-ahead log with synchronous=FULL, so a commit that returned survives a power cut, and readers never hold the writer up.
The one writer holds a lock on `<file>.lock`, which the kernel frees when its process ends, however it ends. The lock file also
says how far the journal had come (a journal shorter than that has lost its tail, and is not written on).
It never repairs anything, and never writes to a file that is not of its own kind.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalFull, JournalHeld

APPLICATION_ID = 0x48464A31  # "HFJ1"
FORMAT_VERSION = 1

# `at_seconds` has no type on purpose: a column with one would turn 1 into 1.0, and the record's hash would no longer hold.
GUARDS = ("journal_never_changes", "journal_never_shrinks")
_TABLES = (
    "CREATE TABLE journal (sequence INTEGER PRIMARY KEY CHECK (sequence > 0), at_seconds NOT NULL, kind TEXT NOT NULL,"
    " incident TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE INDEX journal_incident ON journal (incident, sequence)",
    f"CREATE TRIGGER {GUARDS[0]} BEFORE UPDATE ON journal BEGIN SELECT raise(ABORT, 'the journal is append-only'); END",
    f"CREATE TRIGGER {GUARDS[1]} BEFORE DELETE ON journal BEGIN SELECT raise(ABORT, 'the journal is append-only'); END",
    "CREATE TABLE promises (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {FORMAT_VERSION}",
)
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA}
_CONTENDED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CONSTRAINT}


def _primary_code(error: sqlite3.Error) -> int:
    """SQLite's error without its extension. Errors of Python's own module carry none: they count as misuse."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF


class SqliteDatabase:
    """The file, open. Made by `open_for_writing` or `open_for_reading`; usable from several threads, one statement at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock_descriptor: int | None) -> None:
        self.path = path
        self._connection = connection
        self._lock_descriptor = lock_descriptor
        self._mutex = threading.RLock()

    @classmethod
    def open_for_writing(cls, path: Path) -> "SqliteDatabase":
        """Open, or create. JournalConflict: another process writes it. JournalBroken: it is something else. JournalFull: no room."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # SQLite itself would let everybody read it, and the log beside it too.
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise JournalFull(
                f"the journal {path} cannot be opened: {error.strerror}; give its folder room and write permission"
            ) from error
        try:
            _take_lock(descriptor, path)
            return cls(path, _connect_for_writing(path), descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def open_for_reading(cls, path: Path) -> "SqliteDatabase":
        """Open what is there, beside a writer or without one. JournalBroken: it is not there, or it is something else."""
        if not path.is_file():
            raise JournalBroken(f"{path}: there is no journal here; name the file, or start a controller that writes one")
        with _reading(path):
            connection = _connect(f"{path.absolute().as_uri()}?mode=ro")
            try:
                connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            except sqlite3.OperationalError:
                # A folder that we may not write in: without a log beside the file nobody is writing, so it can be read as it is.
                if _beside(path, "-wal").exists():
                    raise
                connection.close()
                connection = _connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1")
            _recognise(path, connection)
        return cls(path, connection, None)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Statements that become durable together at the end of the block, or not at all."""
        with self._mutex, _writing(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._mutex, _reading(self.path):
            return self._connection.execute(statement, parameters).fetchall()

    def mark(self, text: str) -> None:
        """Note in the lock file how far the journal has come. Not synced: it serves to notice a lost tail, nothing else."""
        if self._lock_descriptor is not None:
            try:
                os.pwrite(self._lock_descriptor, text.ljust(100).encode() + b"\n", 0)
            except OSError:
                return  # a full disk: the commit before it stands, and an older mark is only a weaker one

    def marked(self) -> str:
        """What `mark` last noted, or nothing."""
        try:
            return _lock_path(self.path).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return ""

    def guards_missing(self) -> list[str]:
        """Names of the triggers against change that aren't in the file any more."""
        there = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
        return [name for name in GUARDS if name not in there]

    def cut_short(self, *, certain: bool) -> str | None:
        """A sentence when the file is shorter than its own header says, or None. `certain`: something else is wrong with it already; else
        it is only asked where no log beside the file can still be on its way into it."""
        log = _beside(self.path, "-wal")
        try:
            if not certain and log.exists() and log.stat().st_size:
                return None
            with self.path.open("rb") as file:
                header, size = file.read(32), os.fstat(file.fileno()).st_size
        except OSError:
            return None
        page = int.from_bytes(header[16:18], "big")
        whole = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
        return f"the file was cut short: it has {size:,} of {whole:,} bytes" if size < whole else None

    def close(self) -> None:
        """Put the log into the file and let others write."""
        with self._mutex:
            try:
                self._connection.close()
            finally:
                if self._lock_descriptor is not None:
                    os.close(self._lock_descriptor)
                    self._lock_descriptor = None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _lock_path(path: Path) -> Path:
    return _beside(path, ".lock")


def _take_lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalHeld(f"{path}: another controller is writing this journal; stop that one first, or use another lab folder") from None


def _connect(target: str) -> sqlite3.Connection:
    return sqlite3.connect(target, uri=True, timeout=2.0, isolation_level=None, check_same_thread=False)


def _connect_for_writing(path: Path) -> sqlite3.Connection:
    with _writing(path):
        connection = _connect(f"{path.absolute().as_uri()}?mode=rwc")
        try:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] and not path.stat().st_size:
                _create(path, connection)
            _recognise(path, connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
    return connection


def _create(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("COMMIT")
    # The file's name must survive a power cut as well as its content.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _recognise(path: Path, connection: sqlite3.Connection) -> None:
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if kind != APPLICATION_ID:
        raise JournalBroken(f"{path}: this is a database, but not a Holdfast journal; it was left as it is: name another file")
    if version != FORMAT_VERSION:
        raise JournalBroken(
            f"{path}: journal format {version} is not known here (this is {FORMAT_VERSION}); use the Holdfast that wrote it"
        )


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalBroken(f"{path}: cannot be read as a journal ({error}); keep it as it is, it may be evidence") from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = _primary_code(error)
        if code in _BROKEN:
            raise JournalBroken(f"{path}: cannot be used as a journal ({error}); keep it as it is, it may be evidence") from error
        if code in _CONTENDED:
            raise JournalConflict(f"{path}: somebody else wrote to the journal ({error})") from error
        raise JournalFull(
            f"{path}: the journal could not be made durable ({error}); free space on its disk: nothing is done until then"
        ) from error
