"""Durations as a plan writes them, and as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.plan.values import duration_seconds, duration_text, spoken_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("15s", 15), ("15m", 900), ("1h30m", 5400), ("4h", 14400), ("30d", 2592000), ("7y", 220752000), ("0s", 0)],
)
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "5 m", "5minutes", "1e3s", "m5"])
def test_anything_else_is_refused_with_the_form_named(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit"):
        duration_seconds(text)


@given(st.integers(0, 10**9))
def test_what_is_written_reads_back_the_same(seconds: int) -> None:
    assert duration_seconds(duration_text(float(seconds))) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4.5, "4.5 s"),
        (900, "15 min"),
        (1296, "21 min 36 s"),
        (3600, "60 min"),
        (7200, "120 min"),
        (14400, "4 h"),
        (2592000, "30 d"),
        (9000, "2 h 30 min"),
    ],
)
def test_people_read_it_exact_to_the_second(seconds: float, words: str) -> None:
    assert spoken_duration(seconds) == words
