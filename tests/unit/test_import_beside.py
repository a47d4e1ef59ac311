"""What stands beside a quantity is looked at: it is read exactly as the words mean it, or a person is asked, and never guessed."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.document.reading import Imported, import_document
from holdfast.document.reading.quantities import Money, duration, frequency, money, percent, target, window
from holdfast.plan.values import duration_seconds


def imported(text: str) -> Imported:
    return import_document(text.encode(), "plan.md")


def function_with(rto: str) -> Imported:
    return imported(
        f"# Business functions\n\n| Function | Priority | RTO | RPO |\n| --- | --- | --- | --- |\n| Till | P1 | {rto} | 1 h |\n"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("three quarters of an hour", "45m"),
        ("three-quarters of an hour", "45m"),
        ("1/2 hour", "30m"),
        ("3/4 hour", "45m"),
        ("½ hour", "30m"),
        ("2 1/2 hours", "150m"),
        ("1½ h", "90m"),
        ("two and a half hours", "150m"),
        ("a day and a half", "36h"),
        ("an hour and a quarter", "75m"),
        ("thirty-five minutes", "35m"),
        ("a quarter of an hour", "15m"),
        ("half a day", "12h"),
        ("half a week", "84h"),
        ("a third of a day", "8h"),
        ("1 hour 30", "90m"),
        ("2h30", "150m"),
        ("1h30m", "90m"),
        ("no more than 1 hour", "1h"),
        ("half an hour at most", "30m"),
        ("30 minutes (half an hour)", "30m"),
        ("4 hours (critical services)", "4h"),
    ],
)
def test_a_length_of_time_whose_words_mean_one_thing_is_read(text: str, value: str) -> None:
    found = duration(text)
    assert (found.value, found.remark) == (value, "")


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("two to four hours", ("2h", "4h")),
        ("between 1 and 2 days", ("1d", "2d")),
        ("15 minutes to 1 hour", ("15m", "1h")),
        ("-4 h", ("4h",)),
        ("10 % of 4 h", ("4h",)),
        ("2 x 4 hours", ("4h",)),
        ("3*8h", ("8h",)),
        ("not 4 h", ("4h",)),
        ("2 h per TB", ("2h",)),
        ("twice an hour", ("1h",)),
        ("double the 2 h", ("2h",)),
        ("one hour less than the MTPD", ("1h",)),
        ("4 h ± 30 min", ("4h", "30m")),
        ("4 h (was 2 h)", ("4h", "2h")),
        ("4h/8h", ("4h",)),
        ("1 hour*", ("1h",)),
        ("4 h [1]", ("4h",)),
        ("12 h after 18:00", ("12h",)),
        ("T+2h", ("2h",)),
        ("4 hours to the end of the day", ("4h",)),
        ("12 hours and a half day", ("12h",)),
        ("N/A (was 4 h)", ("4h",)),
        ("1/2 hours", ()),
        ("2/3 days", ()),
        ("1.500 h", ()),
        ("two hundred and five hours", ("5h",)),
        ("0.000000007 weeks", ()),
        ("101 years", ()),
    ],
)
def test_a_length_of_time_that_what_stands_beside_it_changes_is_asked_about(text: str, choices: tuple[str, ...]) -> None:
    found = duration(text)
    assert found.unclear and found.value is None and found.choices == choices


def test_words_that_say_something_else_are_left_out_and_told() -> None:
    got = function_with("4 hours after the alarm")
    assert got.value["functions"]["till"]["rto"] == "4h"
    assert "'after the alarm' is left out" in {one.because for one in got.concluded}
    assert duration("30 minutes for critical services").remark == ""


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("99,9 %", ("99.9",)),
        ("99,5 %", ("99.5",)),
        ("99.9 - 99.95%", ("99.9", "99.95")),
        ("95% within 30 min", ("95",)),
        ("-5%", ("5",)),
        ("99½ %", ()),
        ("1/100 %", ()),
    ],
)
def test_a_percentage_beside_another_number_or_with_a_comma_is_asked_about(text: str, choices: tuple[str, ...]) -> None:
    assert percent(text).unclear and percent(text).choices == choices


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no less than 95%", ">= 95%"),
        ("not below 99 %", ">= 99%"),
        ("no more than 5 minutes", "<= 5m"),
        ("must not exceed 4h", "<= 4h"),
        ("not over 5 min", "<= 5m"),
        ("less than half an hour", "< 30m"),
        ("half an hour at most", "<= 30m"),
        ("99% or more", ">= 99%"),
    ],
)
def test_a_targets_sign_is_the_one_that_its_words_mean(text: str, value: str) -> None:
    assert target(text).value == value


@pytest.mark.parametrize(
    "text", ["95% within 30 min", "at least 90% and at most 95%", "99,5 %", "5 min (was 10 min)", "not 95%", "5 %-points"]
)
def test_a_target_of_two_numbers_or_none_is_asked_about(text: str) -> None:
    assert target(text).unclear and target(text).value is None


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("twice monthly", ("15d",)),
        ("three times daily", ("8h",)),
        ("two times a week", ("84h",)),
        ("semi monthly", ("monthly",)),
        ("not monthly", ("monthly",)),
        ("yearly, next 2027", ("yearly",)),
        ("every 15 to 30 minutes", ("15m", "30m")),
        ("every other week", ()),
    ],
)
def test_so_many_times_in_a_time_is_asked_about(text: str, choices: tuple[str, ...]) -> None:
    assert frequency(text).unclear and frequency(text).choices == choices


def test_how_often_is_read_where_one_word_says_it() -> None:
    said = {text: frequency(text).value for text in ("every quarter hour", "every half year", "hourly", "once every 3 years", "every hour")}
    assert said == {
        "every quarter hour": "15m",
        "every half year": "half-yearly",
        "hourly": "1h",
        "once every 3 years": "3y",
        "every hour": "1h",
    }
    assert frequency("weekly except in August").remark == "'except in august' is left out"


@pytest.mark.parametrize(
    "text",
    [
        "$10,000 per hour",
        "$10,000/day",
        "half of $9,000",
        "A$ 500",
        "$500 CAD",
        "$1.000",
        "-$500",
        "$10,000 a day",
        "$10,000 hourly",
        "$1,00,000",
    ],
)
def test_a_rate_a_part_and_another_currency_are_no_amount_of_us_dollars(text: str) -> None:
    found = money(text)
    assert not isinstance(found, Money) and found.unclear


def test_what_is_left_out_of_an_amount_is_told() -> None:
    dollars = "'$' is taken for US dollars"
    assert money("about $5,000") == Money(5000, False, f"{dollars}; 'about' is left out")
    assert money("up to US$ 9,000") == Money(9000, False, "'up to' is left out")


@pytest.mark.parametrize(
    "text", ["-5-10 min", "1,5-8 h", "30-60-90 minutes", "0-15 min (30-45 min on weekends)", "T-5 to T+5 min", "not within 4 hours"]
)
def test_a_window_beside_another_number_or_sign_is_none(text: str) -> None:
    assert window(text) is None


def test_sentences_are_read_to_the_end_of_their_clauses() -> None:
    got = imported(
        "# Business functions\n\nThe till must be back within three quarters of an hour and may lose between 1 and 2 hours of sales.\n\n"
        "Orders have an RTO of between one and two days and an RPO of 1/2 hour.\n\n"
        "Mail must be restored within about 4 hours, 8 hours at night.\n"
    )
    functions = {name: (entry.get("rto"), entry.get("rpo")) for name, entry in got.value["functions"].items()}
    assert functions == {"till": ("45m", None), "orders": (None, "30m"), "mail": ("4h", None)}
    assert {asked.about: asked.choices for asked in got.questions} == {
        "functions.till.rpo": ("1h", "2h"),
        "functions.orders.rto": ("1d", "2d"),
    }
    assert [note.text for note in got.notes] == ["Mail must be restored within about 4 hours, 8 hours at night."]
    assert "'about' is left out" in {one.because for one in got.concluded}


def test_a_table_of_functions_is_none_of_money_though_its_columns_speak_of_downtime_and_loss() -> None:
    got = imported(
        "| Max. acceptable downtime | Service | Maximum data loss | Criticality | MTPD |\n| --- | --- | --- | --- | --- |\n"
        "| 4 hours | Booking | 1 h | P2 | 1 day |\n| 1-2 hours | Radiology | 15 min | P1 | 8 h |\n"
    )
    booking = got.value["functions"]["booking"]
    assert (booking["rto"], booking["rpo"], booking["mtpd"]) == ("4h", "1h", "1d") and "financial_tiers" not in got.value
    assert {one.because for one in got.concluded} == {"'Max. acceptable downtime' is taken for the RTO, as another column gives the MTPD"}
    assert [asked.about for asked in got.questions] == ["functions.radiology.rto"]


@pytest.mark.parametrize(
    ("head", "cell", "tiers"), [("Loss", "much", 0), ("Data loss", "$5", 0), ("Loss", "€5,000", 1), ("Loss (USD)", "5000", 1)]
)
def test_losses_are_tiers_where_they_are_money(head: str, cell: str, tiers: int) -> None:
    got = imported(f"# Losses\n\n| Outage duration | {head} |\n| --- | --- |\n| 1-2 hours | {cell} |\n")
    assert got.counts.get("financial tiers", 0) == tiers and (tiers or got.notes)


@pytest.mark.parametrize("text", ["not critical", "P5 (low)", "P1 / P2"])
def test_what_is_none_of_four_priorities_is_asked_about(text: str) -> None:
    got = imported(f"| Function | Priority | RTO | RPO |\n| --- | --- | --- | --- |\n| Till | {text} | 4 h | 1 h |\n")
    assert [asked.about for asked in got.questions] == ["functions.till.priority"]


QUANTITIES = st.tuples(st.integers(1, 99), st.sampled_from(["min", "hours", "days", "-minute", "h"]))
PLAIN_WORDS = st.sampled_from(
    ["within", "about", "for critical services", "after the alarm", "(critical)", "up to", "max", "soon", "at night", "of data"]
)
NUMERIC_WORDS = st.one_of(
    st.from_regex(r"\A[bgk]{1,2}[0-9]{1,3}[bgk]{0,2}\Z|\A[0-9]{1,3}[bgk]{1,2}\Z"),
    st.sampled_from(
        [
            "1/3",
            "2x",
            "x2",
            "#3",
            "10%",
            "-7",
            "±1",
            "3rd",
            "v1.2",
            "8:30",
            "0,5",
            "²",
            "½",
            "$5",
            "[1]",
            "(2)",
            "7/7",
            "٤",
            "one of",
            "a tenth",
        ]
    ),
)


def asked_or_exactly(got: Imported, value: str) -> None:
    rto = got.value["functions"]["till"].get("rto")
    asked = "functions.till.rto" in {one.about for one in got.questions}
    assert asked != (rto is not None)
    assert rto is None or duration_seconds(rto) == duration_seconds(value)


@given(QUANTITIES, st.lists(PLAIN_WORDS, max_size=2), st.lists(NUMERIC_WORDS, min_size=1, max_size=3), st.integers(0, 6))
@settings(max_examples=150)
def test_a_quantity_beside_words_with_numbers_is_asked_about(
    quantity: tuple[int, str], plain: list[str], numeric: list[str], at: int
) -> None:
    """Whatever stands where: a number that isn't the quantity's own leaves a question, so nothing numeric is left over unseen."""
    count, unit = quantity
    words = [*plain, *numeric]
    at = min(at, len(words))
    got = function_with(" ".join([*words[:at], f"{count}{unit if unit.startswith('-') else f' {unit}'}", *words[at:]]))
    assert "rto" not in got.value["functions"]["till"]
    assert "functions.till.rto" in {one.about for one in got.questions}


@given(QUANTITIES, st.lists(PLAIN_WORDS, max_size=4), st.integers(0, 4))
@settings(max_examples=100)
def test_a_quantity_beside_plain_words_is_itself_or_asked_about(quantity: tuple[int, str], words: list[str], at: int) -> None:
    count, unit = quantity
    at = min(at, len(words))
    got = function_with(" ".join([*words[:at], f"{count}{unit if unit.startswith('-') else f' {unit}'}", *words[at:]]))
    asked_or_exactly(got, f"{count}{re.sub('[^a-z]', '', unit)[0]}")


@given(st.integers(1, 99), st.lists(st.text(max_size=6), max_size=2), st.lists(st.text(max_size=6), max_size=2))
@settings(max_examples=300)
def test_a_quantity_in_any_text_at_all_is_read_with_no_other_number_or_asked_about(count: int, before: list[str], after: list[str]) -> None:
    text = " ".join([*before, f"{count} hours", *after])
    found = duration(text)
    others = sum(character.isnumeric() for character in text) - len(str(count))
    assert found.unclear or found.value is None or duration_seconds(found.value) >= count * 3600
    assert found.value is None or others == 0 or duration_seconds(found.value) > count * 3600


@given(st.lists(NUMERIC_WORDS, min_size=1, max_size=3), st.integers(0, 3))
def test_a_share_an_amount_and_a_cadence_beside_words_with_numbers_are_asked_about(words: list[str], at: int) -> None:
    at = min(at, len(words))
    for quantity, read in (("95%", percent), ("95%", target), ("30 min", target), ("$5,000", money), ("monthly", frequency)):
        found = read(" ".join([*words[:at], quantity, *words[at:]]))
        assert not isinstance(found, Money) and found.unclear
