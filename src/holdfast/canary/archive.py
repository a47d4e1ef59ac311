"""What a canary's directory holds, to read: entries of a stretch of time, and availability over any window.

Works beside a running canary and without one, and with the ledgers of a drill's clients, which have no earlier ledgers. Reads only.
"""

import gzip
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from holdfast.canary.files import CanaryFiles, Mark, What, read_marks, read_spans
from holdfast.ledger.availability import Measure, Span, partition, spans
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.measure import requests
from holdfast.ledger.reading import Ledger, parse_ledger, read_ledger
from holdfast.plan.model import Canary

NOT_BEGUN = "the canary had not begun"
STOPPED = "the canary was stopped"
GONE = "the canary ended without a word"
LATE_SECONDS = 120.0
"""How long after its sending an entry is written at the latest: a ledger's first entry may be that much younger than some behind it."""


def functions(files: CanaryFiles) -> tuple[str, ...]:
    """Functions that the directory holds anything of."""
    found = {path.stem for pattern in ("*.jsonl", "*.spans") for path in files.directory.glob(pattern)}
    return tuple(sorted(found))


def entries(files: CanaryFiles, function: str, from_seconds: float, until_seconds: float) -> Ledger:
    """A function's entries that were sent in a stretch of time. Raises LedgerError and OSError."""
    found: list[LedgerEntry] = []
    torn = None
    for ledger in _ledgers(files, function, from_seconds, until_seconds):
        found += [entry for entry in ledger.entries if from_seconds <= entry.sent_seconds < until_seconds]
        torn = ledger.torn or torn
    return Ledger(tuple(found), torn)


def _ledgers(files: CanaryFiles, function: str, from_seconds: float, until_seconds: float) -> Iterator[Ledger]:
    packed = {path.name.removesuffix(".jsonl.gz"): path for path in files.earlier(function).glob("*.jsonl.gz")}
    unpacked = {path.name.removesuffix(".jsonl"): path for path in files.earlier(function).glob("*.jsonl")}
    earlier = sorted({**packed, **unpacked}.items())  # one that is just being packed stands there twice
    current = files.ledger(function)
    starts = [float(name) for name, _ in earlier]
    for (_, path), start, following in zip(earlier, starts, [*starts, None][1:], strict=True):
        if start - LATE_SECONDS < until_seconds and (following is None or following + LATE_SECONDS >= from_seconds):
            yield _read(path)
    if current.exists():
        yield read_ledger(current)


def _read(path: Path) -> Ledger:
    if path.suffix == ".gz":
        return parse_ledger(gzip.decompress(path.read_bytes()), str(path))
    return read_ledger(path)


def measured(files: CanaryFiles, function: str, canary: Canary, from_seconds: float, until_seconds: float) -> tuple[Span, ...]:
    """What is known of each moment of a stretch of time, in a row without gaps."""
    marks = read_marks(files)
    told = [*read_spans(files, function), *_fresh(files, function, canary), *explanations(marks)]
    bridge = canary.every
    return partition(told, from_seconds, until_seconds, bridge_seconds=bridge, disputed=disputes(marks))


def _fresh(files: CanaryFiles, function: str, canary: Canary) -> Iterator[Span]:
    """Spans of ledgers that were not condensed yet: the one being written, and one that a canary was just putting away."""
    for path in (*sorted(files.earlier(function).glob("*.jsonl")), files.ledger(function)):
        try:
            found = requests(read_ledger(path).entries)
        except FileNotFoundError:
            continue
        yield from spans(found, canary.every, canary.within)


def explanations(marks: Iterable[Mark]) -> Iterator[Span]:
    """Why nothing was measured, where nothing was: the canary was stopped, was gone, or its disk was full."""
    ordered = sorted(marks, key=lambda mark: mark.at_seconds)
    starts_and_ends = [mark for mark in ordered if mark.what in (What.STARTED, What.ENDED)]
    if starts_and_ends:
        yield Span(0.0, starts_and_ends[0].at_seconds, Measure.UNKNOWN, 0, NOT_BEGUN)
    for before, after in pairwise(starts_and_ends):
        if after.what is What.STARTED:
            since, reason = (before.at_seconds, STOPPED) if before.what is What.ENDED else (after.from_seconds or before.at_seconds, GONE)
            yield Span(since, after.at_seconds, Measure.UNKNOWN, 0, reason)
    if starts_and_ends and starts_and_ends[-1].what is What.ENDED:
        yield Span(starts_and_ends[-1].at_seconds, _FOR_EVER, Measure.UNKNOWN, 0, STOPPED)
    for mark in ordered:
        if mark.what is What.LEDGER_STOOD and mark.from_seconds is not None and mark.until_seconds is not None:
            yield Span(mark.from_seconds, mark.until_seconds, Measure.UNKNOWN, 0, mark.detail)


def disputes(marks: Iterable[Mark]) -> Iterator[Span]:
    """Time over which the clock was stepped: what was written there belongs to two moments, or to none."""
    for mark in marks:
        if mark.what is What.CLOCK_STEPPED and mark.from_seconds is not None and mark.until_seconds is not None:
            yield Span(mark.from_seconds, mark.until_seconds, Measure.UNKNOWN, 0, mark.detail)


_FOR_EVER = 1e12
