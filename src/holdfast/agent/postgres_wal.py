"""What the write-ahead log of a fenced PostgreSQL says about the transactions that the writer never got.

From the point where the time lines part, the log names every transaction that committed here alone and every block that it touched, so an
export looks at these and at nothing else. `pg_waldump` reads the log; nothing is started and nothing is changed.
Rules: a transaction of which the log that is kept shows only the end is *beyond*: its blocks are not known, and every table must be looked
through for its rows. Never here: rows (see `postgres_export`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.agent.postgres_files import PostgresConfiguration
from holdfast.agent.store import Launcher, StoreFailure

MOST_BYTES_READ = 256 << 20
"""Of log that is read block by block; with more, tables are looked through."""
_SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
_TOOL_SECONDS = 600.0
_WINDOW_BYTES = 16 << 20
"""How much of the log before the fork is read, to know every transaction that was under way at it."""
_TRANSACTION = re.compile(r"tx:\s*(\d+)")
_NEXT = re.compile(r"nextXid (\d+)|desc: CHECKPOINT_SHUTDOWN .*?; xid \d+:(\d+);")
"""Records at which it is known that every later transaction begins behind them: who runs, and a checkpoint after which nobody ran."""
_POSITION = re.compile(r"lsn: ([0-9A-F]+/[0-9A-F]+)")
_SUBTRANSACTIONS = re.compile(r"subxacts: ([\d ]+)")
_PREPARED = re.compile(r"COMMIT_PREPARED (\d+)")
_BLOCK = re.compile(r"rel \d+/(\d+)/(\d+) blk (\d+)")

Relation = tuple[int, int]
"""Object identifier of the database, and the number of the relation's file."""


class Unrelated(StoreFailure):
    """The log and the writer have no common point that is still known."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What was committed here alone, since `fork` (a position in the log)."""

    fork: str
    transactions: frozenset[int] = frozenset()
    last: str = ""
    """Position of the last of their commits."""
    next_transaction: int = 0
    """Rows of the writer with this number or a higher one were written after the time lines parted."""
    touched: Mapping[Relation, frozenset[int]] = field(default_factory=dict)
    deleted_in: Mapping[Relation, frozenset[int]] = field(default_factory=dict)
    truncated: bool = False
    beyond: bool = False
    """Some of them began before the log that was read: every table must be looked through."""
    log_bytes: int = 0


def fork_of(history: str, own_timeline: int, writer_timeline: int) -> str | None:
    """Where the writer left the time line that is this directory's; None when both are on the same. `history`: the writer's own file."""
    if own_timeline == writer_timeline:
        return None
    for line in history.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == str(own_timeline):
            return words[1]
    raise Unrelated(f"the writer's time line {writer_timeline} does not come from this directory's time line {own_timeline}")


def position(text: str) -> int:
    """A position as a number of bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def own_timeline(configuration: PostgresConfiguration, control: Mapping[str, str]) -> int:
    """The newest time line of the directory: a promotion's first checkpoint, which the control file waits for, may never have come."""
    segments = [int(name[:8], 16) for name in _segments(configuration)]
    return max([int(control.get("Latest checkpoint's TimeLineID", "1")), *segments])


def read_lost(configuration: PostgresConfiguration, launcher: Launcher, fork: str, timeline: int, segment_bytes: int) -> Lost:
    """Everything that the log says. Raises StoreFailure when it can't be read from the fork on."""
    commits = _dump(configuration, launcher, timeline, fork, rmgr="Transaction")
    transactions, last = committed(commits)
    if not transactions:
        return Lost(fork)
    before = _dump(configuration, launcher, timeline, _window_start(configuration, fork, timeline, segment_bytes), end=fork)
    known_from, next_transaction = horizon(before)
    # Sums of segments, not of records: an upper bound, for the room on the disk and for the choice below.
    log_bytes = max(0, len([name for name in _segments(configuration) if name[8:] >= _segment_of(fork, segment_bytes)])) * segment_bytes
    beyond = known_from is None or min(transactions) < known_from or log_bytes > MOST_BYTES_READ
    if beyond:
        return Lost(fork, transactions, last, next_transaction, beyond=True, log_bytes=log_bytes)
    heap = [line for rmgr in ("Heap", "Heap2") for line in _dump(configuration, launcher, timeline, fork, rmgr=rmgr)]
    touched, deleted_in, truncated = changes([*before, *heap], transactions)
    return Lost(fork, transactions, last, next_transaction, touched, deleted_in, truncated, log_bytes=log_bytes)


def committed(lines: Iterable[str]) -> tuple[frozenset[int], str]:
    """Transactions, with their parts, that these records commit; and the position of the last."""
    found: set[int] = set()
    last = ""
    for line in lines:
        if " desc: COMMIT" not in line:
            continue
        transaction, prepared, at = _TRANSACTION.search(line), _PREPARED.search(line), _POSITION.search(line)
        found.update(int(match[1]) for match in (transaction, prepared) if match is not None and int(match[1]))
        if parts := _SUBTRANSACTIONS.search(line):
            found.update(int(part) for part in parts[1].split())
        last = at[1] if at is not None else last
    return frozenset(found), last


def horizon(lines: Iterable[str]) -> tuple[int | None, int]:
    """From records before the fork: the first transaction of which all records are surely among them (None: not known), and the number that
    the next one after them gets."""
    known_from: int | None = None
    highest = 0
    for line in lines:
        if match := _TRANSACTION.search(line):
            highest = max(highest, int(match[1]))
        if following := _NEXT.search(line):
            upcoming = int(following[1] or following[2])
            highest = max(highest, upcoming - 1)
            known_from = upcoming if known_from is None else known_from
    return known_from, highest + 1


def changes(
    lines: Iterable[str], transactions: frozenset[int]
) -> tuple[dict[Relation, frozenset[int]], dict[Relation, frozenset[int]], bool]:
    """Blocks that these transactions touched, blocks in which they deleted, and whether they emptied a table."""
    touched: dict[Relation, set[int]] = {}
    deleted: dict[Relation, set[int]] = {}
    truncated = False
    for line in lines:
        transaction = _TRANSACTION.search(line)
        if transaction is None or int(transaction[1]) not in transactions or not line.startswith("rmgr: Heap"):
            continue
        if " desc: INPLACE" in line:
            continue  # what the server notes of a table by itself, such as the number of its rows
        truncated = truncated or " desc: TRUNCATE" in line
        into = [touched, deleted] if " desc: DELETE" in line else [touched]
        for database, relation, block in _BLOCK.findall(line):
            for blocks in into:
                blocks.setdefault((int(database), int(relation)), set()).add(int(block))
    return {key: frozenset(some) for key, some in touched.items()}, {key: frozenset(some) for key, some in deleted.items()}, truncated


def _segments(configuration: PostgresConfiguration) -> list[str]:
    try:
        return sorted(path.name for path in _log_directory(configuration).iterdir() if _SEGMENT_NAME.fullmatch(path.name))
    except OSError as error:
        raise StoreFailure(f"the log of {configuration.data_directory} can't be read: {error.strerror}") from error


def _log_directory(configuration: PostgresConfiguration) -> Path:
    return configuration.data_directory / "pg_wal"


def _segment_of(at: str, segment_bytes: int) -> str:
    """The part of a segment's name after its time line."""
    number, a_file = divmod(position(at) // segment_bytes, (1 << 32) // segment_bytes)
    return f"{number:08X}{a_file:08X}"


def _window_start(configuration: PostgresConfiguration, fork: str, timeline: int, segment_bytes: int) -> str:
    """Beginning of the first segment of those kept without a gap up to the fork, at most so much before it."""
    here = position(fork) // segment_bytes
    kept = {name[8:] for name in _segments(configuration) if int(name[:8], 16) == timeline}
    start, first = here, max(here - max(1, _WINDOW_BYTES // segment_bytes), 1)
    while start > first and _segment_of(_text((start - 1) * segment_bytes), segment_bytes) in kept:
        start -= 1
    return _text(start * segment_bytes)


def _text(at: int) -> str:
    return f"{at >> 32:X}/{at & 0xFFFFFFFF:X}"


def _dump(
    configuration: PostgresConfiguration, launcher: Launcher, timeline: int, start: str, *, end: str | None = None, rmgr: str | None = None
) -> list[str]:
    if end is not None and position(start) >= position(end):
        return []
    arguments = ["-p", str(_log_directory(configuration)), "-t", str(timeline), "-s", start]
    arguments += [*(["-e", end] if end is not None else []), *(["-r", rmgr] if rmgr is not None else [])]
    done = launcher.run([configuration.program("pg_waldump"), *arguments], timeout_seconds=_TOOL_SECONDS, environment={"LC_ALL": "C"})
    lines = done.output.splitlines()
    # It always ends with an error at the end of the log; one at the very beginning means that the log from there on is gone.
    nothing = done.status != 0 and not any(line.startswith("rmgr: ") for line in lines)
    if nothing and _gone(done.output) and not _ends_at(configuration, timeline, start, done.output):
        raise StoreFailure(f"pg_waldump can't read the log of {configuration.data_directory} from {start} on: {done.output.strip()[-300:]}")
    return lines


def _ends_at(configuration: PostgresConfiguration, timeline: int, start: str, output: str) -> bool:
    """Whether the log is there and simply ends at this position: a server that was killed after its replica had everything. Its own
    recovery would end there too, so nothing behind it was ever acknowledged."""
    segments = _segments(configuration)
    if "could not find a valid record after" not in output or not segments:
        return False
    segment_bytes = (_log_directory(configuration) / segments[0]).stat().st_size
    return f"{timeline:08X}{_segment_of(start, segment_bytes)}" in segments


def _gone(output: str) -> bool:
    return any(word in output for word in ("could not find", "could not open", "No such file", "could not read"))
