"""What was lost, and whether there was one writer: ledgers held against stores.

Rules: the failover's loss is what the target's stores lacked and nothing brought back; what came back when the sides were reconciled is
late, not lost. The way back's loss is everything acknowledged, save what the failover lost, that is not there at the end. Writes made
after a store was read say nothing about it and are left out, unless they carry an old epoch: then somebody wrote who must not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.health.loss import SKEW_SECONDS
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.measure import acknowledged_writes, loss, single_writer
from holdfast.plan.model import Plan
from holdfast.report.lost import LostWrite, LostWrites
from holdfast.report.model import LISTED_LOSSES, SingleWriter
from holdfast.report.unprotected import Stretch, lost_in
from holdfast.report.wording import moment

WriteId = tuple[str, str, str]


def write_id(entry: LedgerEntry) -> WriteId:
    """What tells one write from all others: function, request, store."""
    return entry.function, entry.request, entry.store or ""


@dataclass(frozen=True, slots=True)
class FunctionLoss:
    """One function's acknowledged writes after a move."""

    acknowledged: int
    checked: int
    lost: tuple[LedgerEntry, ...]
    late: tuple[LedgerEntry, ...]
    unknown: tuple[LedgerEntry, ...]
    """Acknowledged, but nobody could look for them."""

    @property
    def count(self) -> int | None:
        """Writes lost, or None when some could not be looked for."""
        return None if self.unknown else len(self.lost)

    def span_seconds(self, fenced_seconds: float | None) -> float | None:
        """Length of the lost time, from the first lost write to the fence; None when not everything could be looked for."""
        if self.unknown:
            return None
        if not self.lost:
            return 0.0
        last = self.lost[-1].answered_seconds
        return max(last, fenced_seconds if fenced_seconds is not None else last) - self.lost[0].answered_seconds


def lost_writes(plan: Plan, losses: Mapping[str, FunctionLoss], let_go: Sequence[Stretch]) -> LostWrites:
    """What all functions lost together. `let_go`: when stores were unprotected by a person's word, so that nothing was promised."""
    lost = sorted((entry for loss in losses.values() for entry in loss.lost), key=lambda entry: entry.answered_seconds)
    counts = [losses[function].count if function in losses else None for function in plan.functions]
    kept = [_rows_and_keys(plan, losses.get(function)) for function in plan.functions]
    unprotected, doubtful = lost_in(let_go, lost)
    return LostWrites(
        total=total(counts),
        rows_and_keys=total(kept),
        unprotected=unprotected,
        doubtful=doubtful,
        first_at=moment(lost[0].answered_seconds, plan.timezone) if lost else None,
        last_at=moment(lost[-1].answered_seconds, plan.timezone) if lost else None,
        listed=listed(lost, plan.timezone),
    )


def listed(lost: Sequence[LedgerEntry], timezone: str) -> tuple[LostWrite, ...]:
    """The first lost writes one by one, as the report has them."""
    return tuple(
        LostWrite(
            function=entry.function,
            store=entry.store or "",
            request=entry.request,
            key=entry.key,
            acknowledged_at=moment(entry.answered_seconds, timezone),
        )
        for entry in lost[:LISTED_LOSSES]
    )


def _rows_and_keys(plan: Plan, loss: FunctionLoss | None) -> int | None:
    buckets = plan.components_of("bucket")
    if loss is None or any(entry.store not in buckets for entry in loss.unknown):
        return None
    return sum(entry.store not in buckets for entry in loss.lost)


def total(counts: Sequence[int | None]) -> int | None:
    """The sum; None where there is nothing to add up, or a part of it is unknown."""
    return None if not counts or None in counts else sum(number for number in counts if number is not None)


def failover_loss(
    entries: Sequence[LedgerEntry],
    target: Sequence[StoreContents],
    at_end: Sequence[StoreContents],
    new_epoch: int | None,
    stayed: frozenset[str] = frozenset(),
) -> FunctionLoss:
    """One function's writes against the target's stores after the failover; `new_epoch` is the one that the failover opened.

    `stayed`: stores that the failover left where they were, and so under the epoch that they had.
    """
    considered = _before_reading(entries, target, new_epoch, stayed)
    found = loss(considered, target)
    back = _present(found.lost, at_end)
    lost = tuple(entry for entry in found.lost if write_id(entry) not in back)
    late = tuple(entry for entry in found.lost if write_id(entry) in back)
    return FunctionLoss(len(considered), found.checked, lost, late, found.unknown)


def failback_loss(entries: Sequence[LedgerEntry], at_end: Sequence[StoreContents], failover: FunctionLoss) -> FunctionLoss:
    """One function's writes against the stores that serve at the end, without what the failover had lost already.

    What is missing now and could not be looked for after the failover may have been lost on either way: that is unknown.
    """
    gone = {write_id(entry) for entry in failover.lost}
    doubtful = {write_id(entry) for entry in failover.unknown}
    considered = [entry for entry in _before_reading(entries, at_end, None) if write_id(entry) not in gone]
    found = loss(considered, at_end)
    lost = tuple(entry for entry in found.lost if write_id(entry) not in doubtful)
    either = tuple(entry for entry in found.lost if write_id(entry) in doubtful)
    return FunctionLoss(len(considered), found.checked, lost, (), (*found.unknown, *either))


def _before_reading(
    entries: Sequence[LedgerEntry], contents: Sequence[StoreContents], new_epoch: int | None, stayed: frozenset[str] = frozenset()
) -> list[LedgerEntry]:
    read_seconds = {found.store: found.read_seconds for found in contents}
    kept = []
    for entry in acknowledged_writes(entries):
        before = entry.answered_seconds <= read_seconds.get(entry.store or "", entry.answered_seconds)
        old_writer = new_epoch is not None and entry.epoch is not None and entry.epoch < new_epoch
        if before or (old_writer and entry.store not in stayed):
            kept.append(entry)
    return kept


def _present(entries: Iterable[LedgerEntry], contents: Sequence[StoreContents]) -> set[WriteId]:
    records: Mapping[str, StoreContents] = {found.store: found for found in contents}
    return {
        write_id(entry)
        for entry in entries
        if (found := records.get(entry.store or "")) is not None and found.records is not None and entry.key in found.records
    }


@dataclass(frozen=True, slots=True)
class OldSide:
    """What a region's stores held when its time as the writer was over, read before they were made replicas."""

    region: str
    contents: Sequence[StoreContents]
    replaced: frozenset[str] | None = None
    """Stores that were made replicas; None: whatever became of them, they had to be read."""
    fenced_seconds: float | None = None
    """When it was fenced by its own word and clock; None: nobody knows, and nothing is said of what it took after that."""

    def after_its_fence(self, stores: Sequence[str]) -> Iterator[str]:
        """What it took when it had no right to any more, whether anybody else had written by then or not.

        Who stamped a row is another host than the one that stamped the fence: their clocks are allowed their difference.
        """
        if self.fenced_seconds is None:
            return
        for found in self.contents:
            for key, record in sorted((found.records or {}).items()) if found.store in stores else ():
                late = (record.written_seconds or 0.0) - self.fenced_seconds
                if late > SKEW_SECONDS:
                    yield f"{key} was written in {self.region} {late:.3f} s after its fence, under epoch {record.epoch}"


def single_writer_result(
    plan: Plan, entries: Iterable[LedgerEntry], old: Sequence[OldSide], others: Sequence[StoreContents]
) -> SingleWriter:
    """The single-writer check over all ledgers and both regions' stores; not checked while any of them was not read."""
    stores = (*plan.components_of("postgres"), *plan.components_of("redis"))
    found = single_writer(entries, (*(contents for side in old for contents in side.contents), *others), stores)
    missing = [
        f"{store} in {side.region} was not read before it was made a replica"
        for side in old
        for store in stores
        if (side.replaced is None or store in side.replaced) and store not in _read(side)
    ]
    unread = [f"{place} could not be read" for place in found.unread]
    late = [detail for side in old for detail in side.after_its_fence(stores)]
    details = [*late, *(violation.detail for violation in found.violations)]
    checked = found.checked > 0 and not missing and not unread
    known = checked or bool(details)
    return SingleWriter(
        checked=checked,
        violations=len(details) if known else None,
        checked_writes=found.checked,
        details=(*details[:100], *dict.fromkeys([*unread, *missing])),
    )


def _read(side: OldSide) -> set[str]:
    return {found.store for found in side.contents if found.records is not None and found.region == side.region}
