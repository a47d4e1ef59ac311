"""RTO, RPO and the single writer as ledgers tell them."""

import math

from hypothesis import given
from hypothesis import strategies as st

from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.ledger.measure import (
    SUCCESSES_IN_A_ROW,
    availability,
    by_function,
    loss,
    outages,
    recovery,
    requests,
    single_writer,
    worst,
)

YES, NO, MAYBE = RequestResult.ACKNOWLEDGED, RequestResult.REFUSED, RequestResult.UNKNOWN
LETTERS = {"a": YES, "r": NO, "u": MAYBE}
WEST, EAST = "eu-west-1", "eu-central-1"


def entry(
    number: int,
    result: RequestResult = YES,
    sent: float | None = None,
    *,
    answered: float | None = None,
    store: str | None = "database",
    epoch: int = 1,
    region: str = WEST,
) -> LedgerEntry:
    at = float(number) if sent is None else sent
    wrote = result is YES and store is not None
    return LedgerEntry(
        function="voice",
        request=f"v-{number:04d}",
        sent_seconds=at,
        answered_seconds=at + 0.125 if answered is None else answered,
        result=result,
        store=store if wrote else None,
        key=f"calls/v-{number:04d}" if wrote else None,
        region=region if wrote else None,
        epoch=epoch if wrote else None,
        written_seconds=at + 0.0625 if wrote else None,
    )


def story(letters: str) -> list[LedgerEntry]:
    """One request a second: a(cknowledged), r(efused), u(nknown)."""
    return [entry(number, LETTERS[letter]) for number, letter in enumerate(letters)]


def held(entries: list[LedgerEntry], *, region: str = WEST, read: float = 1e9, store: str = "database") -> StoreContents:
    records = {e.key: StoredRecord(e.epoch, e.region, e.written_seconds) for e in entries if e.key is not None and e.store == store}
    return StoreContents(store, region, read, records)


def test_an_outage_runs_from_the_first_failure_to_the_first_of_ten_successes_in_a_row() -> None:
    found = recovery(story("aaa" + "uur" + "aaa" + "r" + "a" * 10 + "aaa"), after_seconds=0)
    assert found is not None
    assert (found.from_seconds, found.until_seconds) == (3.0, 10.125)
    assert (found.refused, found.unknown) == (2, 2)


def test_nine_successes_do_not_end_an_outage() -> None:
    found = recovery(story("a" + "u" + "a" * 9), after_seconds=0)
    assert found is not None
    assert found.until_seconds is None
    assert found.duration_seconds is None


def test_what_failed_before_the_moment_does_not_count_but_what_was_in_flight_does() -> None:
    entries = story("r" + "a" * 12 + "u" + "a" * 12)
    found = recovery(entries, after_seconds=13.05)
    assert found is not None
    assert found.from_seconds == 13.0
    assert recovery(entries, after_seconds=14.0) is None


def test_the_worst_outage_is_the_longest_and_one_that_lasts_is_worse() -> None:
    some = outages(story("ru" + "a" * 10 + "r" + "a" * 10))
    assert [o.duration_seconds for o in some] == [2.125, 1.125]
    assert worst(some) == some[0]
    lasting = outages(story("ru" + "a" * 10 + "r"))
    assert worst(lasting) == lasting[1]
    assert worst(()) is None


def test_a_request_that_wrote_two_stores_is_one_request() -> None:
    twice = [entry(1), entry(1, store="cache"), entry(2)]
    assert [r.request for r in requests(twice)] == ["v-0001", "v-0002"]


letters = st.text("aru", max_size=60)


@given(letters)
def test_outages_cover_every_failure_and_do_not_overlap(text: str) -> None:
    found = outages(story(text))
    assert sum(o.refused + o.unknown for o in found) == text.count("r") + text.count("u")
    ends = [math.inf if o.until_seconds is None else o.until_seconds for o in found]
    assert all(o.from_seconds < end for o, end in zip(found, ends, strict=True))
    assert all(end <= later.from_seconds + 1 for end, later in zip(ends, found[1:], strict=False))
    assert all(o.until_seconds is not None for o in found[:-1])
    # The last one lasts exactly when fewer than ten successes follow the last failure.
    tail = len(text) - 1 - max(text.rfind("r"), text.rfind("u"))
    if found:
        assert (found[-1].until_seconds is None) == (tail < SUCCESSES_IN_A_ROW)


@given(letters, st.randoms())
def test_the_order_of_lines_in_the_ledger_does_not_matter(text: str, random: "st.randoms.Random") -> None:  # type: ignore[name-defined]
    entries = story(text)
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert outages(entries) == outages(shuffled)


def test_lost_writes_are_those_acknowledged_and_missing() -> None:
    entries = story("aaaauaar")
    found = loss(entries, [held([entries[0], entries[1], entries[3]])])
    assert [e.request for e in found.lost] == ["v-0002", "v-0005", "v-0006"]
    assert (found.checked, found.unknown) == (6, ())
    assert found.earliest_seconds == 2.125
    assert found.span_seconds() == 4.0
    assert found.span_seconds(end_seconds=12.125) == 10.0
    assert found.span_seconds(end_seconds=3.0) == 4.0, "the fence cannot be before the last write that was lost"


def test_an_unread_store_and_a_reading_before_the_answer_make_unknown_and_never_lost() -> None:
    entries = story("aaa")
    unread = StoreContents("database", EAST, 5.0, None, "no answer")
    assert len(loss(entries, [unread]).unknown) == 3
    assert len(loss(entries, []).unknown) == 3
    early = loss(entries, [held([], read=1.5)])
    assert ([e.request for e in early.lost], [e.request for e in early.unknown]) == (["v-0000", "v-0001"], ["v-0002"])
    assert loss(entries, [unread]).span_seconds(99.0) == 0.0


@given(letters, st.sets(st.integers(0, 60)), st.booleans())
def test_every_acknowledged_write_is_found_lost_or_unknown_and_nothing_else_is(text: str, kept: set[int], readable: bool) -> None:
    entries = story(text)
    contents = held([e for number, e in enumerate(entries) if number in kept])
    found = loss(entries, [contents if readable else StoreContents("database", WEST, 1e9, None, "silent")])
    assert found.checked + len(found.unknown) == text.count("a")
    lost = {int(e.request[2:]) for e in found.lost}
    assert lost == ({n for n, letter in enumerate(text) if letter == "a" and n not in kept} if readable else set())
    assert all(e.result is YES for e in (*found.lost, *found.unknown))


def failover(old: int, new: int) -> list[LedgerEntry]:
    first = [entry(n) for n in range(old)]
    return first + [entry(n, epoch=2, region=EAST) for n in range(old, old + new)]


def test_an_orderly_failover_has_one_writer() -> None:
    entries = failover(5, 5)
    found = single_writer(entries, [held(entries[:5]), held(entries, region=EAST)])
    assert found.violations == ()
    assert found.checked == 10 + 5 + 10
    assert found.unread == ()


def test_an_acknowledgement_of_the_old_writer_after_the_first_of_the_new_is_a_violation() -> None:
    entries = [*failover(5, 5), entry(20, sent=6.5)]
    [violation] = single_writer(entries, []).violations
    assert (violation.store, violation.epoch, violation.key) == ("database", 1, "calls/v-0020")
    assert "1.500 s after the first under epoch 2" in violation.detail


def test_a_row_that_only_the_old_server_knows_is_a_violation_too() -> None:
    entries = failover(5, 5)
    secret = StoreContents("database", WEST, 1e9, {"calls/secret": StoredRecord(1, WEST, 7.0)})
    [violation] = single_writer(entries, [secret, held(entries[5:], region=EAST)]).violations
    assert violation.key == "calls/secret"
    assert "by the store's clock" in violation.detail


def test_one_epoch_in_two_regions_is_a_violation() -> None:
    entries = [entry(1), entry(2, region=EAST)]
    [violation] = single_writer(entries, []).violations
    assert "epoch 1 was written in eu-west-1 and in eu-central-1" in violation.detail


def test_buckets_have_no_single_writer_and_stores_are_apart() -> None:
    assert single_writer([entry(1, epoch=2, store="storage", region=EAST), entry(2, store="storage")], []).checked == 0
    assert single_writer([entry(1, epoch=2, store="cache", region=EAST), entry(2)], []).violations == ()


def test_an_unread_store_is_named() -> None:
    assert single_writer([], [StoreContents("cache", EAST, 0.0, None, "silent")]).unread == ("cache in eu-central-1",)


writes = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 50)), max_size=30)


@given(writes)
def test_a_violation_is_found_exactly_when_some_older_epoch_comes_after_a_newer_one(some: list[tuple[int, int]]) -> None:
    entries = [entry(n, sent=float(at), epoch=epoch, region=f"region-{epoch}") for n, (epoch, at) in enumerate(some)]
    late = {n for n, (epoch, at) in enumerate(some) if any(newer > epoch and first < at for newer, first in some)}
    assert {int(v.key[-4:]) for v in single_writer(entries, []).violations} == late


@given(letters)
def test_the_strip_has_every_second_and_counts_every_request_once(text: str) -> None:
    strip = availability(story(text), -2.5, len(text) + 2.0)
    assert [s.second for s in strip] == list(range(-3, len(text) + 2))
    assert sum(s.acknowledged for s in strip) == text.count("a")
    assert sum(s.refused for s in strip) == text.count("r")
    assert sum(s.unknown for s in strip) == text.count("u")
    assert all((s.p95_seconds is None) == (s.acknowledged == 0) for s in strip)


def test_entries_are_taken_apart_by_function() -> None:
    assert list(by_function(story("aa"))) == ["voice"]
