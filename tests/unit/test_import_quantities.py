"""Numbers with units are read by exact rules, and what has two meanings is asked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.document.reading.damage import repaired
from holdfast.document.reading.quantities import Money, day, duration, frequency, money, percent, target, window


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 hours", "4h"),
        ("1 h", "1h"),
        ("15 min", "15m"),
        ("< 15 min", "15m"),
        ("Within 30 minutes", "30m"),
        ("1h 30min", "90m"),
        ("1 hour and 30 minutes", "90m"),
        ("half an hour", "30m"),
        ("two hours", "2h"),
        ("0", "0s"),
        ("no data loss", "0s"),
        ("1.5 hours", "90m"),
        ("7 years", "7y"),
        ("30 minutes for critical services", "30m"),
        ("2 weeks", "2w"),
        ("N/A", None),
        ("N/A (stateless)", None),
        ("-", None),
    ],
)
def test_a_length_of_time_is_read_as_people_write_it(text: str, value: str | None) -> None:
    assert duration(text).clear and duration(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "24/7",
        "4",
        "1-4 hours",
        "2 business days",
        "immediate",
        "near-zero",
        "1,5 hours",
        "best effort",
        "soon",
        "4 hours, 8 hours on Sundays",
    ],
)
def test_what_is_no_single_length_of_time_is_unclear(text: str) -> None:
    assert not duration(text).clear and duration(text).value is None


def test_a_number_without_a_unit_takes_the_columns() -> None:
    assert duration("4", "h").value == "4h" and duration("0.5", "h").value == "30m"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0-5 minutes", ("0s", "5m")),
        ("1-4 hours", ("1h", "4h")),
        ("120+ minutes", ("120m", "open")),
        ("4+ hours", ("4h", "open")),
        ("T+5 to T+10 min", ("5m", "10m")),
        ("30 min - 4 hours", ("30m", "4h")),
        ("< 1 h", ("0s", "1h")),
        ("more than 8 hours", ("8h", "open")),
        ("soon", None),
    ],
)
def test_a_window_has_a_beginning_and_an_end(text: str, found: tuple[str, str] | None) -> None:
    assert window(text) == found


@pytest.mark.parametrize("text", ["Bi-annually", "biannual", "biweekly", "bi-monthly", "Biennial"])
def test_words_that_mean_two_things_are_asked_about(text: str) -> None:
    assert frequency(text).value is None and len(frequency(text).choices) == 2


def test_how_often_in_words() -> None:
    assert [
        frequency(text).value for text in ("Daily", "every 15 minutes", "semi-annually", "Annual Updates", "twice a year", "Real-time")
    ] == ["daily", "15m", "half-yearly", "yearly", "half-yearly", "continuous"]


def test_money_is_dollars_or_it_is_asked_about() -> None:
    assert money("$200,000+") == Money(200000, True, "'$' is taken for US dollars")
    assert money("USD 2k") == Money(2000, False)
    for text in ("€90,000", "5000", "$10k-$20k"):
        found = money(text)
        assert not isinstance(found, Money) and found.unclear


def test_targets_days_and_percentages() -> None:
    assert (
        target("< 5 minutes").value == "< 5m" and target("> 95%").value == "> 95%" and target("respond within 15 minutes").value == "<= 15m"
    )
    assert day("14 March 2026").value == "2026-03-14" and day("31 February 2026").unclear and day("03/04/2026").unclear
    assert percent("99.9% uptime").value == "99.9"


@given(st.text(max_size=60))
def test_any_text_is_read_or_unclear_and_never_an_error(text: str) -> None:
    for read in (duration, frequency, percent, target, day):
        found = read(text)
        assert found.value is None or not found.unclear
    window(text)
    money(text)


@given(st.sampled_from("“”‘’–—…•→✅🚨📊é ü ñ ß ° ©".replace(" ", "")))
def test_a_character_that_was_read_in_the_wrong_encoding_is_turned_back(character: str) -> None:
    damaged = "".join(
        chr(byte) if 0x80 <= byte < 0xA0 and byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
        for byte in character.encode()
    )
    assert repaired(f"x {damaged} y") == f"x {character} y"


@given(st.text(alphabet="abc éüñßÄÖ“”…–çà«»", max_size=40))
def test_sound_text_stays_as_it_is(text: str) -> None:
    assert repaired(text) == text
