"""What ledgers say about RTO, RPO and the single writer. Pure: entries in, frozen values out.

Rules: an unknown outcome stays unknown, it is never counted as lost, as found or as a success; a store that could not be read makes
its writes unknown, not lost. All moments are wall-clock seconds since 1970. Nothing here judges against a target.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry, RequestResult

SUCCESSES_IN_A_ROW = 10
SINGLE_WRITER_STORES = ("database", "cache")
"""Stores with one writer at a time. Buckets are written on both sides and reconciled."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whatever number of stores it wrote."""

    request: str
    sent_seconds: float
    answered_seconds: float
    result: RequestResult
    own_fault: str = ""
    """Why the client can't vouch for the result; empty when it can."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a function did not serve, as its client saw it."""

    from_seconds: float
    """When the first failed request was sent."""
    until_seconds: float | None
    """When the first of ten successes in a row was answered; None while they have not been seen."""
    refused: int
    unknown: int

    @property
    def duration_seconds(self) -> float | None:
        """None while the outage lasts."""
        return None if self.until_seconds is None else self.until_seconds - self.from_seconds


@dataclass(frozen=True, slots=True)
class Loss:
    """Acknowledged writes held against what the serving stores hold."""

    checked: int
    """Acknowledged writes whose store was read after their acknowledgement."""
    lost: tuple[LedgerEntry, ...]
    """Acknowledged and missing, oldest acknowledgement first."""
    unknown: tuple[LedgerEntry, ...]
    """Acknowledged, but nobody could look: the store was not read, or only before the acknowledgement."""

    @property
    def earliest_seconds(self) -> float | None:
        """When the earliest lost write was acknowledged."""
        return self.lost[0].answered_seconds if self.lost else None

    def span_seconds(self, end_seconds: float | None = None) -> float:
        """Length of the lost time: from the earliest lost write's acknowledgement to the fence (`end_seconds`), or to the last lost one."""
        if not self.lost:
            return 0.0
        last = self.lost[-1].answered_seconds
        return max(last, end_seconds if end_seconds is not None else last) - self.lost[0].answered_seconds


@dataclass(frozen=True, slots=True)
class Violation:
    """A sign of two writers."""

    store: str
    epoch: int
    at_seconds: float
    key: str
    detail: str


@dataclass(frozen=True, slots=True)
class SingleWriter:
    """Whether there was one writer: what was looked at, what spoke against it, and what could not be read."""

    checked: int
    violations: tuple[Violation, ...]
    unread: tuple[str, ...]
    """`store in region` of contents that could not be read: with any of these, no violation is not yet proof."""


@dataclass(frozen=True, slots=True)
class Second:
    """One second of one function, by the second in which requests were sent."""

    second: int
    acknowledged: int
    refused: int
    unknown: int
    p95_seconds: float | None


def requests(entries: Iterable[LedgerEntry]) -> tuple[Request, ...]:
    """One value per request, in the order in which they were sent. A request is acknowledged only if every entry of it is."""
    found: dict[tuple[str, str], Request] = {}
    for entry in entries:
        known = found.get((entry.function, entry.request))
        if known is None or known.result is RequestResult.ACKNOWLEDGED:
            found[entry.function, entry.request] = Request(
                entry.request, entry.sent_seconds, entry.answered_seconds, entry.result, entry.own_fault
            )
    return tuple(sorted(found.values(), key=lambda request: (request.sent_seconds, request.request)))


def outages(
    entries: Iterable[LedgerEntry],
    after_seconds: float = -math.inf,
    before_seconds: float = math.inf,
    successes: int = SUCCESSES_IN_A_ROW,
) -> tuple[Outage, ...]:
    """Every outage of one function among requests answered at or after `after_seconds` and sent before `before_seconds`, in order.

    An outage begins with a failed request and ends with the first of `successes` acknowledged requests in a row (in the order of
    sending); fewer successes than that, up to the next failure or the end of the ledger, do not end it. What the client itself can't
    vouch for says neither.
    """
    vouched = [request for request in requests(entries) if not request.own_fault]
    inside = [r for r in vouched if r.answered_seconds >= after_seconds and r.sent_seconds < before_seconds]
    return tuple(_outages(inside, successes))


def _outages(ordered: Sequence[Request], successes: int) -> Iterator[Outage]:
    failed: list[Request] = []
    row: list[Request] = []
    for request in ordered:
        if request.result is not RequestResult.ACKNOWLEDGED:
            failed.append(request)
            row = []
        elif failed:
            row.append(request)
            if len(row) >= successes:
                yield _outage(failed, row[0].answered_seconds)
                failed, row = [], []
    if failed:
        yield _outage(failed, None)


def _outage(failed: Sequence[Request], until_seconds: float | None) -> Outage:
    counts = Counter(request.result for request in failed)
    return Outage(failed[0].sent_seconds, until_seconds, counts[RequestResult.REFUSED], counts[RequestResult.UNKNOWN])


def recovery(entries: Iterable[LedgerEntry], after_seconds: float, before_seconds: float = math.inf) -> Outage | None:
    """The RTO of one function: its first outage at or after a moment, or None if no request failed."""
    found = outages(entries, after_seconds, before_seconds)
    return found[0] if found else None


def worst(found: Iterable[Outage]) -> Outage | None:
    """The longest outage; one that has not ended is worse than any that has."""
    return max(found, key=lambda outage: math.inf if outage.duration_seconds is None else outage.duration_seconds, default=None)


def acknowledged_writes(entries: Iterable[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    """Entries that name a store and were acknowledged."""
    return tuple(e for e in entries if e.result is RequestResult.ACKNOWLEDGED and e.store is not None and e.key is not None)


def loss(entries: Iterable[LedgerEntry], serving: Iterable[StoreContents]) -> Loss:
    """Acknowledged writes that the serving stores do not hold. Give the contents of the stores that serve now, one per store."""
    by_store = {contents.store: contents for contents in serving}
    checked, lost, unknown = 0, [], []
    for entry in acknowledged_writes(entries):
        contents = by_store.get(entry.store or "")
        if contents is not None and contents.records is not None and entry.key in contents.records:
            checked += 1
        elif contents is None or contents.records is None or not contents.covers(entry):
            unknown.append(entry)
        else:
            checked += 1
            lost.append(entry)
    return Loss(checked, _by_answer(lost), _by_answer(unknown))


def _by_answer(entries: Iterable[LedgerEntry]) -> tuple[LedgerEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.answered_seconds, entry.function, entry.request, entry.store or "")))


@dataclass(frozen=True, slots=True)
class _Write:
    epoch: int
    at_seconds: float
    region: str
    key: str


def single_writer(
    entries: Iterable[LedgerEntry],
    contents: Iterable[StoreContents],
    stores: Collection[str] = SINGLE_WRITER_STORES,
) -> SingleWriter:
    """No acknowledgement (clients' clocks), no stored record (the store's clock) under an old epoch after the first under a new one.

    Also: one epoch has one region. Give the contents of both regions, read before a reprotect throws the old side's away.
    """
    acknowledged: dict[str, list[_Write]] = defaultdict(list)
    stored: dict[str, list[_Write]] = defaultdict(list)
    unread = []
    for entry in acknowledged_writes(entries):
        if entry.store is not None and entry.store in stores and entry.epoch is not None:
            acknowledged[entry.store].append(_Write(entry.epoch, entry.answered_seconds, entry.region or "", entry.key or ""))
    for found in contents:
        if found.store in stores and found.records is None:
            unread.append(f"{found.store} in {found.region}")
        elif found.store in stores:
            stored[found.store].extend(_stored_writes(found))
    violations: list[Violation] = []
    for store in sorted({*acknowledged, *stored}):
        violations += _epoch_order(store, acknowledged[store], "was acknowledged to a client")
        violations += _epoch_order(store, stored[store], "was written by the store's clock")
        violations += _one_region_an_epoch(store, [*acknowledged[store], *stored[store]])
    checked = sum(map(len, acknowledged.values())) + sum(map(len, stored.values()))
    return SingleWriter(checked, tuple(violations), tuple(sorted(unread)))


def _stored_writes(contents: StoreContents) -> Iterator[_Write]:
    for key, record in (contents.records or {}).items():
        if record.epoch is not None and record.written_seconds is not None:
            yield _Write(record.epoch, record.written_seconds, record.region or "", key)


def _epoch_order(store: str, writes: Sequence[_Write], what: str) -> Iterator[Violation]:
    first_of: dict[int, float] = {}
    for write in writes:
        first_of[write.epoch] = min(first_of.get(write.epoch, math.inf), write.at_seconds)
    newer_first: dict[int, tuple[float, int]] = {}
    earliest = (math.inf, 0)
    for epoch in sorted(first_of, reverse=True):
        newer_first[epoch] = earliest
        earliest = min(earliest, (first_of[epoch], epoch))
    for write in sorted(set(writes), key=lambda write: (write.at_seconds, write.key)):
        at_seconds, newer = newer_first[write.epoch]
        if write.at_seconds > at_seconds:
            late = write.at_seconds - at_seconds
            detail = f"{write.key} {what} under epoch {write.epoch} in {write.region}, {late:.3f} s after the first under epoch {newer}"
            yield Violation(store, write.epoch, write.at_seconds, write.key, detail)


def _one_region_an_epoch(store: str, writes: Sequence[_Write]) -> Iterator[Violation]:
    owner: dict[int, str] = {}
    told: set[tuple[int, str]] = set()
    for write in sorted(writes, key=lambda write: write.at_seconds):
        region = owner.setdefault(write.epoch, write.region)
        if write.region != region and (write.epoch, write.region) not in told:
            told.add((write.epoch, write.region))
            detail = f"epoch {write.epoch} was written in {region} and in {write.region} (first seen: {write.key})"
            yield Violation(store, write.epoch, write.at_seconds, write.key, detail)


def availability(entries: Iterable[LedgerEntry], start_seconds: float, end_seconds: float) -> tuple[Second, ...]:
    """One value per second from start to end, seconds without requests included: the data of an availability strip."""
    first, last = math.floor(start_seconds), math.ceil(end_seconds)
    by_second: dict[int, list[Request]] = defaultdict(list)
    for request in requests(entries):
        by_second[math.floor(request.sent_seconds)].append(request)
    return tuple(_second(second, by_second.get(second, ())) for second in range(first, last))


def _second(second: int, inside: Sequence[Request]) -> Second:
    counts = Counter(request.result for request in inside)
    latencies = [r.answered_seconds - r.sent_seconds for r in inside if r.result is RequestResult.ACKNOWLEDGED]
    return Second(
        second,
        counts[RequestResult.ACKNOWLEDGED],
        counts[RequestResult.REFUSED],
        counts[RequestResult.UNKNOWN],
        percentile(latencies, 95.0) if latencies else None,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def by_function(entries: Iterable[LedgerEntry]) -> Mapping[str, tuple[LedgerEntry, ...]]:
    """Entries apart by function, in the order given."""
    found: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.function].append(entry)
    return {function: tuple(some) for function, some in found.items()}
