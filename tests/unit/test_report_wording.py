"""How figures are said: units, two significant digits, and pairs that can be told apart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.report.wording import count, duration, duration_pair, listing, moment, moment_text, significant


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0001, "under 1 ms"),
        (0.0042, "4.2 ms"),
        (0.27, "0.27 s"),
        (4.31, "4.3 s"),
        (18.4, "18 s"),
        (95, "95 s"),
        (144, "2.4 min"),
        (900, "15 min"),
        (1800, "30 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (9000, "2.5 h"),
        (864000, "10 d"),
        (-5, "−5 s"),
        (None, "unknown"),
    ],
)
def test_durations_as_people_say_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_durations_are_never_bare_seconds_above_120(seconds: float) -> None:
    text = duration(seconds)
    number, _, unit = text.rpartition(" ")
    assert unit in ("ms", "s", "min", "h", "d")
    if unit == "s":
        assert float(number) <= 120


@given(st.floats(min_value=0.001, max_value=1e8), st.floats(min_value=0.001, max_value=1e8))
def test_a_pair_can_be_told_apart_unless_it_is_the_same_to_six_digits(left: float, right: float) -> None:
    first, second = duration_pair(left, right)
    if abs(left - right) > 1e-4 * max(left, right):
        assert first != second


def test_a_target_missed_by_little_is_seen_to_be_missed() -> None:
    assert duration_pair(901, 900) == ("15.02 min", "15 min")
    assert duration_pair(900, 900) == ("15 min", "15 min")
    assert duration_pair(None, 900) == ("unknown", "15 min")


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_two_significant_digits_are_within_half_a_digit(value: float) -> None:
    assert float(significant(value)) == pytest.approx(value, rel=0.051)


def test_counts_carry_their_noun() -> None:
    assert count(1, "write") == "1 write"
    assert count(4312, "write") == "4\u202f312 writes"
    assert count(0, "violation") == "0 violations"
    assert count(None, "write") == "an unknown number of writes"
    assert count(None) == "unknown"
    assert count(2.5, "write") == "2.5 writes"


def test_moments_stand_in_the_plans_zone_with_the_offset() -> None:
    assert moment(1_790_000_000.1234, "Europe/Dublin") == "2026-09-21T15:13:20.123+01:00"
    assert moment_text("2026-09-21T15:13:20.123+01:00") == "2026-09-21 15:13:20 +01:00"
    assert re.fullmatch(r".*\+00:00", moment(0.0, "No/Such")), "an unknown zone is shown in UTC, with its offset"


def test_lists_of_words() -> None:
    assert [listing(words) for words in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == ["nobody", "a", "a and b", "a, b and c"]
