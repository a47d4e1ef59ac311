"""How much of a stretch of time a function was available, as its canary saw it. Pure arithmetic on time.

Rules: a transaction speaks for the time from its sending to the next one's, at most twice the interval; *available* when it was
acknowledged in time, else *unavailable*. Time that no transaction speaks for, or only one that the canary itself can't vouch for, is
*unknown*: it is kept apart and never counted as either. All parts of a stretch add up to it. Moments are wall-clock seconds since 1970.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import Request

REACH = 2.0
"""A transaction speaks for at most so many intervals; a canary that was slower than that was not measuring."""
_ROUNDING_SECONDS = 1e-6
"""Less than this apart is the rounding of a percentage."""
NOT_MEASURED = "no transaction was recorded"


class Measure(StrEnum):
    """What is known of a stretch of time."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


_RANK = (Measure.UNAVAILABLE, Measure.AVAILABLE, Measure.UNKNOWN)
"""Where two accounts of the same moment differ, the worse one that measured counts."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time of which one thing is known. `reason`: why it is unknown, or of an outage the last refusal."""

    from_seconds: float
    until_seconds: float
    measure: Measure
    transactions: int = 0
    reason: str = ""

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.until_seconds - self.from_seconds

    def within(self, from_seconds: float, until_seconds: float) -> "Span":
        """The part of it that lies in a window that it touches; its transactions are shared out by time."""
        start, end = max(self.from_seconds, from_seconds), min(self.until_seconds, until_seconds)
        if (start, end) == (self.from_seconds, self.until_seconds):
            return self
        return replace(self, from_seconds=start, until_seconds=end, transactions=round(self.transactions * (end - start) / self.seconds))


@dataclass(frozen=True, slots=True)
class Availability:
    """A stretch of time, apart by what is known of it."""

    from_seconds: float
    until_seconds: float
    available_seconds: float
    unavailable_seconds: float
    unknown_seconds: float
    transactions: int
    outages: int
    """Unbroken stretches of *unavailable*."""
    longest_outage_seconds: float
    unknown_reasons: Mapping[str, float]
    """Why, and for how many seconds of it."""

    @property
    def measured_seconds(self) -> float:
        """Time of which it is known whether the function was available."""
        return self.available_seconds + self.unavailable_seconds

    @property
    def percent(self) -> float | None:
        """Share of the measured time in which the function was available; None when nothing was measured."""
        return 100.0 * self.available_seconds / self.measured_seconds if self.measured_seconds > 0 else None

    @property
    def at_least_percent(self) -> float:
        """The share if nothing of the unknown time had been available."""
        return 100.0 * self.available_seconds / _positive(self.until_seconds - self.from_seconds)

    @property
    def at_most_percent(self) -> float:
        """The share if all of the unknown time had been available."""
        return 100.0 * (self.available_seconds + self.unknown_seconds) / _positive(self.until_seconds - self.from_seconds)


class Kept(StrEnum):
    """Whether a promise was kept. `unknown`: the outage that was measured fits, together with the unknown time it might not."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Budget:
    """An availability promised over a period, and how much outage is left in it."""

    target_percent: float
    period_seconds: float
    spent_seconds: float
    unknown_seconds: float

    @property
    def allowed_seconds(self) -> float:
        """How much outage the promise allows in its period."""
        return (100.0 - self.target_percent) / 100.0 * self.period_seconds

    @property
    def left_seconds(self) -> float:
        """What is left of it, as far as was measured; below zero it is overdrawn."""
        return self.allowed_seconds - self.spent_seconds

    @property
    def kept(self) -> Kept:
        """Whether the promise was kept over the period that ends now."""
        if self.left_seconds < -_ROUNDING_SECONDS:
            return Kept.BROKEN
        return Kept.KEPT if self.unknown_seconds <= self.left_seconds + _ROUNDING_SECONDS else Kept.UNKNOWN


def budget(target_percent: float, period_seconds: float, measured: Availability) -> Budget:
    """The budget of a promise; `measured` is of the period's length and ends now."""
    return Budget(target_percent, period_seconds, measured.unavailable_seconds, measured.unknown_seconds)


def spans(requests: Sequence[Request], every_seconds: float, within_seconds: float) -> tuple[Span, ...]:
    """What a function's transactions say, in the order of sending. The last one speaks for one interval."""
    found: list[Span] = []
    ordered = sorted(requests, key=lambda request: request.sent_seconds)
    for request, following in zip(ordered, [*ordered, None][1:], strict=True):
        reach = every_seconds if following is None else min(following.sent_seconds - request.sent_seconds, REACH * every_seconds)
        _append(found, _span(request, request.sent_seconds + reach, within_seconds))
    return tuple(found)


def _span(request: Request, until_seconds: float, within_seconds: float) -> Span:
    in_time = request.answered_seconds - request.sent_seconds <= within_seconds
    if request.own_fault:
        return Span(request.sent_seconds, until_seconds, Measure.UNKNOWN, 1, request.own_fault)
    if request.result is RequestResult.ACKNOWLEDGED and in_time:
        return Span(request.sent_seconds, until_seconds, Measure.AVAILABLE, 1)
    return Span(request.sent_seconds, until_seconds, Measure.UNAVAILABLE, 1)


def _append(found: list[Span], span: Span) -> None:
    """Add a span that begins where the last one ends or later; equal neighbours become one."""
    last = found[-1] if found else None
    if last and (last.measure, last.reason, last.until_seconds) == (span.measure, span.reason, span.from_seconds):
        found[-1] = replace(last, until_seconds=span.until_seconds, transactions=last.transactions + span.transactions)
    elif span.until_seconds > span.from_seconds or span.transactions:
        found.append(span)


def partition(
    told: Iterable[Span], from_seconds: float, until_seconds: float, *, bridge_seconds: float, disputed: Iterable[Span] = ()
) -> tuple[Span, ...]:
    """The whole stretch in a row without gaps, each piece with what is known of it.

    `told` may overlap: then the worse that was measured counts. `disputed` is unknown whatever was told of it (the clock was stepped back
    over it). A gap of at most `bridge_seconds` between two measured pieces belongs to the earlier one: it is jitter.
    """
    pieces = list(_pieces(told, disputed, from_seconds, until_seconds))
    row: list[Span] = []
    for index, piece in enumerate(pieces):
        before = row[-1] if row else None
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        gap = piece.measure is Measure.UNKNOWN and piece.reason == NOT_MEASURED and piece.seconds <= bridge_seconds
        between = before is not None and after is not None and Measure.UNKNOWN not in (before.measure, after.measure)
        if gap and between and before is not None:
            piece = replace(piece, measure=before.measure, reason=before.reason)  # noqa: PLW2901  # what it is taken for
        _append(row, piece)
    return tuple(row)


@dataclass(frozen=True, slots=True)
class _Edge:
    at_seconds: float
    opens: bool
    disputes: bool
    span: Span


def _pieces(told: Iterable[Span], disputed: Iterable[Span], from_seconds: float, until_seconds: float) -> Iterator[Span]:
    edges: list[_Edge] = []
    for disputes, some in ((False, told), (True, disputed)):
        for span in some:
            if span.until_seconds > from_seconds and span.from_seconds < until_seconds and span.seconds > 0:
                part = span.within(from_seconds, until_seconds)
                edges += [_Edge(part.from_seconds, True, disputes, part), _Edge(part.until_seconds, False, disputes, part)]
    edges.sort(key=lambda edge: (edge.at_seconds, edge.opens))
    open_now: dict[Measure, list[Span]] = {measure: [] for measure in Measure}
    disputing: list[Span] = []
    here, begun = from_seconds, 0
    for edge in edges:
        if edge.at_seconds > here:
            yield replace(_known(open_now, disputing), from_seconds=here, until_seconds=edge.at_seconds, transactions=begun)
            here, begun = edge.at_seconds, 0
        holding = disputing if edge.disputes else open_now[edge.span.measure]
        if edge.opens:
            holding.append(edge.span)
            begun += edge.span.transactions
        else:
            holding.remove(edge.span)
    if until_seconds > here:
        yield replace(_known(open_now, disputing), from_seconds=here, until_seconds=until_seconds, transactions=begun)


def _known(open_now: Mapping[Measure, Sequence[Span]], disputing: Sequence[Span]) -> Span:
    if disputing:
        return replace(disputing[-1], measure=Measure.UNKNOWN)
    for measure in _RANK:
        if open_now[measure]:
            return open_now[measure][-1]
    return Span(0.0, 0.0, Measure.UNKNOWN, 0, NOT_MEASURED)


def availability(row: Sequence[Span]) -> Availability:
    """What a partition adds up to. It must not be empty."""
    sums = {measure: math.fsum(span.seconds for span in row if span.measure is measure) for measure in Measure}
    down = _unbroken(span for span in row if span.measure is Measure.UNAVAILABLE)
    reasons: dict[str, float] = {}
    for span in row:
        if span.measure is Measure.UNKNOWN:
            reasons[span.reason] = reasons.get(span.reason, 0.0) + span.seconds
    return Availability(
        row[0].from_seconds,
        row[-1].until_seconds,
        sums[Measure.AVAILABLE],
        sums[Measure.UNAVAILABLE],
        sums[Measure.UNKNOWN],
        sum(span.transactions for span in row),
        len(down),
        max(down, default=0.0),
        reasons,
    )


def _unbroken(row: Iterable[Span]) -> list[float]:
    """Lengths of the stretches, neighbours taken together."""
    found: list[tuple[float, float]] = []
    for span in row:
        if found and found[-1][1] == span.from_seconds:
            found[-1] = (found[-1][0], span.until_seconds)
        else:
            found.append((span.from_seconds, span.until_seconds))
    return [until - since for since, until in found]


def _positive(seconds: float) -> float:
    return seconds if seconds > 0 else math.inf
