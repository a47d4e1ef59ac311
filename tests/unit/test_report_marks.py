"""Every request as a mark: none is hidden, each has the state that the plan gives it, and however many there are the files stay small."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.measure import requests
from holdfast.report.build import build
from holdfast.report.clients import MOST_RUNS, Window, strip
from holdfast.report.format import report_json
from holdfast.report.marks import FEWEST_MARKS, marks, windows
from holdfast.report.model import Report
from holdfast.report.page import page
from holdfast.report.pictures import request_windows
from holdfast.report.seen import RequestMarks, RequestWindow
from holdfast.report.timing import Moments
from unit.report_facts import DR, END_SECONDS, HOME, IMPACT, STORES, ReportStory

TEN_SECONDS = RequestWindow(window="failover", start_seconds=0.0, end_seconds=10.0)


@cache
def report() -> Report:
    return build(ReportStory().facts())


def entry(
    number: int, at: float, took: float = 0.02, result: RequestResult = RequestResult.ACKNOWLEDGED, own_fault: str = ""
) -> LedgerEntry:
    answered = result is RequestResult.ACKNOWLEDGED
    store, region = ("database", HOME) if answered else (None, None)
    return LedgerEntry(
        "voice",
        f"voice-{number}",
        IMPACT + at,
        IMPACT + at + took,
        result,
        store,
        f"k{number}" if answered else None,
        region,
        1 if answered else None,
        None,
        "",
        own_fault=own_fault,
    )


def places(found: RequestMarks) -> list[float]:
    """Where marks stand, in seconds from the beginning of their window."""
    return [place * found.grid_milliseconds / 1000.0 for place in accumulate(found.gaps)]


def by_state(found: Sequence[RequestMarks]) -> dict[str, RequestMarks]:
    return {one.state: one for one in found}


def drawn(entries: Sequence[LedgerEntry], lost: Sequence[LedgerEntry] = (), functions: int = 1) -> dict[str, RequestMarks]:
    return by_state(marks(entries, lost, (TEN_SECONDS,), IMPACT, 0.5, functions))


def test_every_request_around_the_failover_is_a_mark_where_it_was_sent() -> None:
    window = report().request_windows[0]
    for function in report().functions:
        sent = [request.sent_seconds - IMPACT for request in requests(ReportStory().facts().ledgers[function.id])]
        inside = sorted(second for second in sent if window.start_seconds <= second < window.end_seconds)
        found = [one for one in function.marks if one.window == "failover" and one.state != "lost"]
        shown = sorted(window.start_seconds + place for one in found for place in places(one))
        assert shown == pytest.approx(inside, abs=0.002)


def test_states_are_the_plans_own_numbers() -> None:
    plan = ReportStory().facts().plan
    assert [f.slow_above_seconds for f in report().functions] == [
        plan.functions[f.id].degraded.p95_latency_above for f in report().functions
    ]
    found = drawn(
        [entry(1, 1.0), entry(2, 2.0, 0.51), entry(3, 3.0, 1.0, RequestResult.UNKNOWN), entry(4, 4.0, 0.1, RequestResult.REFUSED)]
    )
    assert {state: places(one) for state, one in found.items()} == {"ok": [1.0], "slow": [2.0], "failed": [3.0, 4.0]}


def test_a_lost_write_stands_where_it_was_acknowledged_besides_being_answered() -> None:
    kept, gone = entry(1, 1.0), entry(2, 2.0)
    found = drawn([kept, gone], [gone])
    assert found["ok"].requests == 2
    assert places(found["lost"]) == pytest.approx([2.02])


def test_what_the_client_cannot_vouch_for_is_no_mark() -> None:
    own = entry(2, 2.0, 1.0, RequestResult.UNKNOWN, own_fault="its own network was down")
    assert set(drawn([entry(1, 1.0), own])) == {"ok"}


@given(
    st.lists(st.tuples(st.floats(0.0, 9.999), st.sampled_from(list(RequestResult))), max_size=400),
    st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_however_many_there_are_none_disappears(asked: list[tuple[float, RequestResult]], functions: int) -> None:
    entries = [entry(number, at, 0.02, result) for number, (at, result) in enumerate(asked)]
    found = drawn(entries, functions=functions)
    failed = [at for at, result in asked if result is not RequestResult.ACKNOWLEDGED]
    assert sum(one.requests for one in found.values()) == len(asked)
    for one in found.values():
        assert sum(one.counts) in (0, one.requests)
        assert len(one.gaps) == one.requests or one.counts
        assert all(gap > 0 for gap in one.gaps[1:])
    if failed:
        grid = found["failed"].grid_milliseconds / 1000.0
        shown = places(found["failed"])
        assert all(any(place - 0.002 <= at <= place + grid + 0.002 for place in shown) for at in failed)


def test_too_many_share_marks_and_the_page_says_how_many() -> None:
    entries = [entry(number, number / 400) for number in range(4000)]
    one = drawn(entries, functions=1000)["ok"]
    assert len(one.gaps) <= FEWEST_MARKS
    assert sum(one.counts) == one.requests == 4000
    crowded = report().functions[0].model_copy(update={"marks": (one,)})
    window, _ = request_windows(report().model_copy(update={"functions": (crowded,)}))
    assert window.notes == (
        "Too many to draw one by one: a mark stands for all requests of one state within 0.50 s or less, at most 200 of them.",
    )
    assert request_windows(report())[0].notes == ()


def test_the_picture_has_a_stroke_for_every_mark_and_says_the_same_in_words() -> None:
    window = request_windows(report())[0]
    for strip_, function in zip(window.strips, report().functions, strict=True):
        mine = [one for one in function.marks if one.window == "failover"]
        assert {state: path.count("v") for state, path in strip_.paths} == {one.state: len(one.gaps) for one in mine}
    assert window.strips[0].words == (
        "Voice Call Processing: 38 answered in time, 0 slow (over 5 s), 14 failed, 2 of the acknowledged lost"
    )


def test_lost_writes_belong_into_the_picture_but_never_take_more_than_half_of_it() -> None:
    story = ReportStory(lost={"voice": 20})
    window = build(story.facts()).request_windows[0]
    assert window.start_seconds == pytest.approx(-5.0, abs=0.3)
    hours = tuple(f.model_copy(update={"lost_at_seconds": (-7200.0,)}) for f in report().functions)
    at = Moments(IMPACT, None, None, None, None, None, None, None, IMPACT + END_SECONDS)
    (far, _) = windows(at, report().steps, hours, IMPACT - 9000.0)
    assert -far.start_seconds == pytest.approx(far.end_seconds, abs=5.0)
    early = report().model_copy(update={"request_windows": (TEN_SECONDS,)})
    assert request_windows(early)[0].notes[0] == (
        "Lost writes of Voice Call Processing and Hotel PMS Integration were acknowledged before this picture begins: "
        "all are counted under Data."
    )


def test_a_failure_outside_the_pictures_is_named_under_them() -> None:
    facts = ReportStory().facts()
    again = LedgerEntry("pms", "pms-again", IMPACT + 25.0, IMPACT + 25.5, RequestResult.REFUSED, None, None, None, None, None)
    found = build(replace(facts, ledgers={**facts.ledgers, "pms": (*facts.ledgers["pms"], again)}))
    assert [window.notes for window in request_windows(found)] == [
        (),
        ("Requests of Hotel PMS Integration failed at other times too: see the whole time.",),
    ]


def flapping(function: str) -> Iterator[LedgerEntry]:
    """A quarter of an hour at twenty a second, in which the answers change all the time."""
    results = (RequestResult.ACKNOWLEDGED, RequestResult.REFUSED, RequestResult.UNKNOWN, RequestResult.ACKNOWLEDGED)
    for number in range(20 * 900):
        sent = IMPACT - 5.0 + number / 20
        result = results[(number // 11 + number // 7) % 4]
        answered = result is RequestResult.ACKNOWLEDGED
        took = 3.0 if number % 5 == 0 else 0.03
        request, key = f"{function}-{number:06d}", f"{function}/database/{number}"
        if answered:
            yield LedgerEntry(function, request, sent, sent + took, result, "database", key, DR, 2, sent + 0.01)
        else:
            yield LedgerEntry(function, request, sent, sent + took, result, None, None, None, None, None)


def test_an_hour_of_flapping_stays_small() -> None:
    facts = replace(
        ReportStory().facts(), ledgers={function: tuple(flapping(function)) for function in STORES}, ended_seconds=IMPACT + 895.0
    )
    crowded = build(facts)
    assert {len(one.gaps) for function in crowded.functions for one in function.marks} != {0}
    assert sum(one.requests for f in crowded.functions for one in f.marks if one.state != "lost" and one.window == "failover") > 5000
    assert len(page(crowded).encode()) < 300_000
    assert len(report_json(crowded).encode()) < 400_000


def test_a_strip_that_changes_too_often_gets_longer_stretches_with_the_worst_in_each() -> None:
    entries = [
        entry(number, number / 2, 0.02, RequestResult.REFUSED if number % 2 else RequestResult.ACKNOWLEDGED) for number in range(4000)
    ]
    runs = strip(entries, Window(IMPACT, IMPACT + 2000.0), IMPACT, 0.5, 5)
    assert len(runs) <= MOST_RUNS // 5
    assert sum(run.requests for run in runs) == 4000
    assert sum(run.failed for run in runs) == 2000
    assert {run.state for run in runs} == {"failed"}
