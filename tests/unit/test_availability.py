"""Availability is arithmetic on time: nothing is counted twice, nothing is made up, and what was not measured stays unknown."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.ledger.availability import (
    NOT_MEASURED,
    Availability,
    Kept,
    Measure,
    Span,
    availability,
    budget,
    partition,
    spans,
)
from holdfast.ledger.entry import RequestResult
from holdfast.ledger.measure import Request

T0 = 1_790_000_000.0
EVERY = 1.0
instants = st.integers(0, 400).map(lambda quarter: T0 + quarter / 4)


def transaction(at: float, result: RequestResult = RequestResult.ACKNOWLEDGED, took: float = 0.05, own_fault: str = "") -> Request:
    return Request(f"canary-{at}", T0 + at, T0 + at + took, result, own_fault)


transactions = st.lists(
    st.builds(
        transaction,
        st.integers(0, 400).map(lambda quarter: quarter / 4),
        st.sampled_from(RequestResult),
        st.sampled_from([0.05, 0.9, 1.4]),
        st.sampled_from(["", "", "the canary itself stood still for 2.0 s"]),
    ),
    max_size=60,
)
any_spans = st.lists(
    st.builds(lambda a, b, measure: Span(min(a, b), max(a, b), measure, 1), instants, instants, st.sampled_from(Measure)), max_size=25
)


def over(told: list[Span], start: float = T0, end: float = T0 + 100, bridge: float = 0.0, disputed: tuple[Span, ...] = ()) -> Availability:
    return availability(partition(told, start, end, bridge_seconds=bridge, disputed=disputed))


@given(any_spans, instants, instants)
def test_the_parts_of_any_stretch_add_up_to_it_and_follow_each_other(told: list[Span], one: float, other: float) -> None:
    start, end = min(one, other), max(one, other) + 0.25
    row = partition(told, start, end, bridge_seconds=0.0)
    assert row[0].from_seconds == start
    assert row[-1].until_seconds == end
    assert all(before.until_seconds == after.from_seconds for before, after in pairwise(row))
    found = availability(row)
    assert math.isclose(found.available_seconds + found.unavailable_seconds + found.unknown_seconds, end - start, abs_tol=1e-6)
    assert math.isclose(sum(found.unknown_reasons.values()), found.unknown_seconds, abs_tol=1e-6)
    assert found.at_least_percent <= (found.percent if found.percent is not None else 100) + 1e-9
    assert found.at_most_percent >= (found.percent if found.percent is not None else 0) - 1e-9


@given(any_spans, instants)
def test_two_halves_make_the_whole(told: list[Span], middle: float) -> None:
    whole = over(told)
    for part in ("available_seconds", "unavailable_seconds", "unknown_seconds"):
        first = getattr(over(told, end=middle), part) if middle > T0 else 0.0
        second = getattr(over(told, start=middle), part) if middle < T0 + 100 else 0.0
        assert math.isclose(first + second, getattr(whole, part), abs_tol=1e-6)


@given(any_spans, st.randoms())
def test_neither_order_nor_telling_it_twice_changes_anything(told: list[Span], random: object) -> None:
    again = [*told, *told]
    random.shuffle(again)  # type: ignore[attr-defined]
    one, other = over(told), over(again)
    assert (one.available_seconds, one.unavailable_seconds) == (other.available_seconds, other.unavailable_seconds)


@given(any_spans, instants, instants)
def test_knowing_less_makes_nothing_worse_or_better_than_it_may_have_been(told: list[Span], one: float, other: float) -> None:
    """Unknown is never down: disputing a stretch moves time to unknown, and the bounds only grow apart."""
    disputed = (Span(min(one, other), max(one, other), Measure.UNKNOWN, 0, "the clock went back by 9 s"),)
    before, after = over(told), over(told, disputed=disputed)
    assert after.unavailable_seconds <= before.unavailable_seconds + 1e-9
    assert after.available_seconds <= before.available_seconds + 1e-9
    assert after.at_least_percent <= before.at_least_percent + 1e-9
    assert after.at_most_percent >= before.at_most_percent - 1e-9


@given(transactions)
def test_condensed_ledgers_say_the_same_as_the_ledger_they_came_from(all_of_them: list[Request]) -> None:
    """A ledger is put away at any place; the last transaction of each part speaks for one interval, so only that edge may differ."""
    ordered = sorted(all_of_them, key=lambda request: request.sent_seconds)
    whole = over(list(spans(ordered, EVERY, 1.0)), bridge=EVERY)
    parts = [span for at in range(0, len(ordered), 7) for span in spans(ordered[at : at + 7], EVERY, 1.0)]
    found = over(parts, bridge=EVERY)
    edges = math.ceil(len(ordered) / 7)
    assert abs(found.available_seconds - whole.available_seconds) <= 2 * EVERY * edges
    assert abs(found.unavailable_seconds - whole.unavailable_seconds) <= 2 * EVERY * edges


def steady(count: int, failing: range = range(0), **fault: str) -> list[Request]:
    return [transaction(n, RequestResult.UNKNOWN if n in failing else RequestResult.ACKNOWLEDGED, **fault) for n in range(count)]  # type: ignore[arg-type]


def test_an_outage_lasts_from_the_first_failed_transaction_to_the_next_good_one() -> None:
    found = over(list(spans(steady(100, failing=range(40, 47)), EVERY, 1.0)))
    assert (found.unavailable_seconds, found.available_seconds, found.unknown_seconds) == (7.0, 93.0, 0.0)
    assert (found.outages, found.longest_outage_seconds, found.percent, found.transactions) == (1, 7.0, 93.0, 100)


def test_an_answer_that_came_too_late_is_no_availability() -> None:
    slow = [transaction(n, took=1.5 if n == 3 else 0.05) for n in range(100)]
    assert over(list(spans(slow, EVERY, 1.0))).unavailable_seconds == 1.0


def test_what_the_canary_cannot_vouch_for_is_unknown_with_its_reason() -> None:
    doubted = [transaction(n, RequestResult.UNKNOWN, own_fault="cut off" if n < 90 else "") for n in range(100)]
    found = over(list(spans(doubted, EVERY, 1.0)))
    assert (found.unknown_seconds, found.unavailable_seconds) == (90.0, 10.0)
    assert found.unknown_reasons == {"cut off": 90.0}


def test_a_canary_that_did_not_run_leaves_unknown_and_jitter_does_not() -> None:
    requests = [transaction(n * 1.07) for n in range(50)]
    told = list(spans(requests, EVERY, 1.0))
    assert over(told, end=T0 + 50, bridge=EVERY).unknown_seconds == 0.0
    found = over(told, end=T0 + 100, bridge=EVERY)
    assert found.unknown_reasons == {NOT_MEASURED: pytest.approx(100 - 49 * 1.07 - EVERY)}
    assert found.percent == 100.0
    silent = [*steady(10), *[transaction(30 + n) for n in range(10)]]
    assert over(list(spans(silent, EVERY, 1.0)), end=T0 + 40).unknown_seconds == 30 - 9 - 2.0


def test_nothing_measured_is_no_hundred_percent() -> None:
    found = over([])
    assert (found.percent, found.at_least_percent, found.at_most_percent) == (None, 0.0, 100.0)


@pytest.mark.parametrize(
    ("down", "unknown", "kept", "left"),
    [(0, 0, Kept.KEPT, 100), (60, 40, Kept.KEPT, 40), (60, 41, Kept.UNKNOWN, 40), (100, 0, Kept.KEPT, 0), (101, 0, Kept.BROKEN, -1)],
)
def test_a_budget_is_kept_only_if_unknown_time_fits_into_it_too(down: int, unknown: int, kept: Kept, left: int) -> None:
    period = 100_000.0
    told = [
        Span(T0, T0 + down, Measure.UNAVAILABLE),
        Span(T0 + down, T0 + down + unknown, Measure.UNKNOWN, 0, "stopped"),
        Span(T0 + down + unknown, T0 + period, Measure.AVAILABLE),
    ]
    found = budget(99.9, period, over(told, end=T0 + period))
    assert found.kept is kept
    assert found.left_seconds == pytest.approx(left, abs=1e-6)
