"""Where a canary keeps what it measured: names, and small files that hold a line for each thing that happened.

    DIR/<function>.jsonl              the ledger that is being written, an entry a line
    DIR/<function>/<moment>.jsonl.gz  earlier ledgers, the oldest thrown away when there are too many bytes of them
    DIR/<function>.spans              what earlier ledgers say about availability, condensed; outlives them
    DIR/marks.log                     starts, ends, steps of the clock, full disks
    DIR/contents/<moment>.<region>.json   what a region's stores held of the canary's records after a change of epoch
    DIR/status.json                   the last second, replaced every second
    DIR/canary.lock                   held while a canary writes here

Rules: a line counts once it is on the disk; files of lines are bounded, the older half goes first. A torn last line is set aside.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from holdfast.ledger.availability import Measure, Span

LINES_BYTES = 8 * 1024 * 1024
"""Bound on each file of spans and marks. A span is about 100 bytes; a function that is well makes one for each ledger that is put away."""


class What(StrEnum):
    """What a mark tells."""

    STARTED = "started"
    ENDED = "ended"
    CLOCK_STEPPED = "clock-stepped"
    LEDGER_STOOD = "ledger-stood"
    TORN = "torn"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to the canary itself, with the stretch of time that it spoiled, if it did."""

    at_seconds: float
    what: What
    detail: str
    from_seconds: float | None = None
    until_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CanaryFiles:
    """The paths of one canary's directory."""

    directory: Path

    @property
    def marks(self) -> Path:
        """What happened to the canary itself."""
        return self.directory / "marks.log"

    @property
    def status(self) -> Path:
        """How it is now."""
        return self.directory / "status.json"

    @property
    def lock(self) -> Path:
        """Held while a canary runs."""
        return self.directory / "canary.lock"

    @property
    def contents(self) -> Path:
        """What stores were found to hold."""
        return self.directory / "contents"

    def ledger(self, function: str) -> Path:
        """The ledger that is being written."""
        return self.directory / f"{function}.jsonl"

    def earlier(self, function: str) -> Path:
        """Where ledgers are put away."""
        return self.directory / function

    def spans(self, function: str) -> Path:
        """What put-away ledgers say about availability."""
        return self.directory / f"{function}.spans"


def append_lines(path: Path, lines: Iterator[Mapping[str, Any]]) -> None:
    """Append to a bounded file of lines, on the disk when this returns. Raises OSError, and then nothing of it counts."""
    text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
    if path.exists() and path.stat().st_size > LINES_BYTES:
        kept = path.read_bytes()
        replace_whole(path, kept[kept.index(b"\n", len(kept) // 2) + 1 :])
    with path.open("ab", buffering=0) as file:
        good = file.seek(0, os.SEEK_END)
        append_whole(file.fileno(), text.encode(), good)
    sync_directory(path.parent)


def append_whole(descriptor: int, content: bytes, good_bytes: int) -> int:
    """Append behind the first `good_bytes` and sync it; returns the new size. Raises OSError with the file as it was before."""
    os.ftruncate(descriptor, good_bytes)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fdatasync(descriptor)
    except OSError:
        os.ftruncate(descriptor, good_bytes)  # half a line must not stay; taking away needs no room
        raise
    return good_bytes + len(content)


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, on the disk when this returns."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Names in a directory are on the disk when this returns."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_mark(files: CanaryFiles, mark: Mark) -> None:
    """Keep a mark. Raises OSError."""
    append_lines(files.marks, iter([asdict(mark)]))


def read_marks(files: CanaryFiles) -> tuple[Mark, ...]:
    """Marks in the order of writing; what a later version added is left out, and so is a line that is none."""
    return tuple(
        Mark(float(line["at_seconds"]), What(line["what"]), str(line["detail"]), line.get("from_seconds"), line.get("until_seconds"))
        for line in _lines(files.marks)
        if line.get("what") in set(What)
    )


def write_spans(files: CanaryFiles, function: str, found: tuple[Span, ...]) -> None:
    """Keep what a put-away ledger says. Raises OSError."""
    append_lines(files.spans(function), (asdict(span) for span in found))


def read_spans(files: CanaryFiles, function: str) -> Iterator[Span]:
    """What put-away ledgers say, in the order of writing."""
    for line in _lines(files.spans(function)):
        if line.get("measure") in set(Measure):
            start, end = float(line["from_seconds"]), float(line["until_seconds"])
            yield Span(start, end, Measure(line["measure"]), int(line["transactions"]), str(line["reason"]))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except ValueError:
            continue  # a torn end, or a line that somebody changed: what it told is unknown, which is what a missing line means
        if isinstance(value, dict):
            yield value
