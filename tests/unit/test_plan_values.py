"""Durations as a plan writes them, and as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from holdfast.plan.values import (
    FREQUENCIES,
    Day,
    Frequency,
    Target,
    WindowEnd,
    duration_seconds,
    duration_text,
    frequency_text,
    spoken_duration,
)


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


def test_how_often_is_a_word_or_a_duration() -> None:
    read = TypeAdapter(Frequency).validate_python
    assert [read(word) for word in FREQUENCIES] == [duration_seconds(text) for text in FREQUENCIES.values()]
    assert read("14d") == 14 * 86400.0
    assert [frequency_text(read(word)) for word in (*FREQUENCIES, "14d")] == [*FREQUENCIES, "2w"]
    with pytest.raises(ValidationError, match=r"'bi-annually' does not say how often"):
        read("bi-annually")


@pytest.mark.parametrize(
    ("text", "sign", "number", "unit"), [("< 5m", "<", 300, "s"), (">=95 %", ">=", 95, "%"), ("≤ 3", "<=", 3, ""), ("100%", "", 100, "%")]
)
def test_a_target_is_a_sign_and_a_number_with_its_unit(text: str, sign: str, number: float, unit: str) -> None:
    target = Target.read(text)
    assert (target.sign, target.number, target.unit) == (sign, number, unit)
    assert Target.read(str(target)) == target


@given(st.sampled_from(["<", "<=", ">", ">=", ""]), st.integers(0, 10**6), st.sampled_from(["%", "s", ""]))
def test_every_target_reads_back_from_its_text(sign: str, number: int, unit: str) -> None:
    assert Target.read(str(Target(sign, float(number), unit))) == Target(sign, float(number), unit)


def test_a_target_says_whether_it_is_met() -> None:
    assert Target.read("< 5m").is_met(299)
    assert not Target.read("< 5m").is_met(300)
    assert Target.read(">= 95%").is_met(95)
    assert not Target.read("100%").is_met(99.9)


@pytest.mark.parametrize("text", ["2026-02-30", "some day", "2026-13-01"])
def test_a_day_that_does_not_exist_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a day of the calendar"):
        TypeAdapter(Day).validate_python(text)


def test_a_window_may_have_no_end() -> None:
    window = TypeAdapter(WindowEnd)
    assert math.isinf(window.validate_python("open"))
    assert window.dump_python(math.inf, mode="json") == "open"
    assert window.validate_python("30m") == 1800.0
