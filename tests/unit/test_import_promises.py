"""How companies write RTO, RPO and MTPD in sentences: each time is the right promise's, or it is asked about, or its sentence is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.document.reading import Imported, import_document
from holdfast.document.reading.things.promise_names import NAMES as PROMISE_NAMES


def imported(text: str) -> Imported:
    return import_document(f"# Business functions\n\n{text}\n".encode(), "plan.md")


def objectives(got: Imported) -> dict[str, str]:
    (function,) = got.value["functions"].values()
    return {key: function[key] for key in ("rto", "rpo", "mtpd") if key in function}


WORDINGS = {
    "Payroll has a Recovery Time Objective (RTO) of 4 hours.": {"rto": "4h"},
    "Payroll has a Recovery Point Objective (RPO) of 15 minutes.": {"rpo": "15m"},
    "Payroll has a Maximum Tolerable Period of Disruption (MTPD) of 2 days.": {"mtpd": "2d"},
    "Payroll has an RTO (Recovery Time Objective) of 4 hours.": {"rto": "4h"},
    "Payroll has an RPO (Recovery Point Objective) of 15 minutes.": {"rpo": "15m"},
    "Payroll has an MTPD (maximum tolerable period of disruption) of 2 days.": {"mtpd": "2d"},
    "Payroll is critical. RPO (data loss) is 15 minutes.": {"rpo": "15m"},
    "Payroll must be back within 4 hours. RPO (data loss) is 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "Payroll must be back within 4 hours. The RPO must not exceed 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "The RTO for payroll must not exceed 4 hours.": {"rto": "4h"},
    "The Recovery Time Objective (RTO) must not exceed 4 hours for anyone. Payroll has an RTO of 4 hours.": {"rto": "4h"},
    "Payroll's RTO is no more than 4 hours and its RPO is no more than 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "Payroll has an RTO set at 4 hours and an RPO set at 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "Payroll has a recovery time objective (RTO) within 4 hours.": {"rto": "4h"},
    "Payroll has Recovery Time Objective (RTO): 4 hours, Recovery Point Objective (RPO): 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "Payroll has RTO 4 h, RPO 15 min.": {"rto": "4h", "rpo": "15m"},
    "Payroll has RTO 4 h, RPO 15 min, MTPD 2 days.": {"rto": "4h", "rpo": "15m", "mtpd": "2d"},
    "Payroll has RTO: 4h (RPO: 15m).": {"rto": "4h", "rpo": "15m"},
    "Payroll has RTO 4 h RPO 15 min.": {"rto": "4h", "rpo": "15m"},
    "Payroll has RPO 15 min / RTO 4 h.": {"rto": "4h", "rpo": "15m"},
    "Payroll has RTO/RPO: 4h/15m.": {"rto": "4h", "rpo": "15m"},
    "Payroll has RPO/RTO: 15m/4h.": {"rto": "4h", "rpo": "15m"},
    "Payroll has an RTO/RPO of 4 hours / 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "Payroll has an RTO and RPO of 4 hours and 15 minutes, respectively.": {"rto": "4h", "rpo": "15m"},
    "Payroll has a Recovery Time Objective (RTO) and Recovery Point Objective (RPO) of 4 hours.": {"rto": "4h", "rpo": "4h"},
    "Payroll has a 4-hour RTO and a 15-minute RPO.": {"rto": "4h", "rpo": "15m"},
    "Payroll has 4 hours (RTO) and 15 minutes (RPO).": {"rto": "4h", "rpo": "15m"},
    "Payroll has as short an RTO as possible and a 15-minute RPO.": {"rpo": "15m"},
    "Payroll must be resumed within 4 hours (RTO) with a data loss of no more than 15 minutes (RPO).": {"rto": "4h", "rpo": "15m"},
    "Payroll has an RPO that is yet to be agreed, but is back within 4 hours.": {"rto": "4h"},
    "Payroll has no RPO and an RTO of 4 hours.": {"rto": "4h"},
    "Payroll has an RTO of 4 hours and a MAO of 2 days.": {"rto": "4h", "mtpd": "2d"},
    "Payroll has an RTO of 4 hours and a maximum allowable downtime of 2 days.": {"rto": "4h", "mtpd": "2d"},
    "Payroll has an RTO of 4 hours and a max acceptable outage of 2 days.": {"rto": "4h", "mtpd": "2d"},
    "Payroll has an RTO of 4 hours and a maximum acceptable data loss of 15 minutes.": {"rto": "4h", "rpo": "15m"},
    "Payroll has an RTO of four hours and an RPO of zero.": {"rto": "4h", "rpo": "0s"},
    "Payroll has an RPO of zero and must be back within four hours.": {"rto": "4h", "rpo": "0s"},
    "Payroll must be back within two hours. Its RPO is zero, because nobody keeps paper.": {"rto": "2h", "rpo": "0s"},
    "Payroll has zero RPO and a twelve-hour RTO.": {"rto": "12h", "rpo": "0s"},
    "Payroll has a recovery-point objective of zero and a recovery-time objective of 4 hours.": {"rto": "4h", "rpo": "0s"},
    "Payroll has RTO: 4h, RPO: 0.": {"rto": "4h", "rpo": "0s"},
    "Payroll has an RTO/RPO of 4 hours / 0.": {"rto": "4h", "rpo": "0s"},
    "Payroll must be back within 4 hours with no data loss (RPO).": {"rto": "4h", "rpo": "0s"},
    "Payroll must be back within two hours. Zero data loss is required: its RPO is zero.": {"rto": "2h", "rpo": "0s"},
    "Payroll must be back within two hours. No data may be lost (RPO).": {"rto": "2h", "rpo": "0s"},
    "Payroll must return within 4 hours of any failure.": {"rto": "4h"},
    "Payroll must return to service within eleven hours.": {"rto": "11h"},
    "Payroll is to be restored within 4 hours.": {"rto": "4h"},
    "Payroll recovers in under thirty minutes, on paper if need be.": {"rto": "30m"},
    "Payroll comes back within one hour.": {"rto": "1h"},
    "Payroll should be up and running within seven hours.": {"rto": "7h"},
    "Payroll must be online again within 90 minutes, and no more than ten minutes of entries may be lost.": {"rto": "90m", "rpo": "10m"},
    "Payroll – RTO: 5 days, RPO: 1 day.": {"rto": "5d", "rpo": "1d"},
    "Payroll must be back within four (4) hours.": {"rto": "4h"},
    "For payroll the RTO is two days and the RPO is zero.": {"rto": "2d", "rpo": "0s"},
    "The RPO for payroll is zero.": {"rpo": "0s"},
    "Payroll – RTO 1 hour, RPO of zero.": {"rto": "1h", "rpo": "0s"},
    "Payroll can wait: it has an RTO of two days.": {"rto": "2d"},
}


@pytest.mark.parametrize("text", WORDINGS)
def test_a_promise_is_read_as_companies_write_it(text: str) -> None:
    got = imported(text)
    assert objectives(got) == WORDINGS[text]
    assert [entry["name"].lower() for entry in got.value["functions"].values()] == ["payroll"]
    assert not got.questions


ASKED = {
    "Payroll has an RTO and RPO of 4 hours and 15 minutes.": {"rto": ("4h", "15m"), "rpo": ("4h", "15m")},
    "Payroll has 4 h RTO 15 min RPO.": {"rto": ("4h", "15m")},
    "Payroll has an RTO of up to 4 hours RPO.": {"rto": ("4h",), "rpo": ("4h",)},
    "Payroll has an RTO of one working day.": {"rto": ()},
    "Payroll has an RTO of 1 business day and an RPO of 2 banking days.": {"rto": (), "rpo": ()},
    "Payroll must be back within three business days.": {"rto": ()},
    "Payroll must be back within a working day.": {"rto": ()},
    "Payroll must not lose any data.": {"rpo": ("0s",)},
    "Payroll has an RPO of 15 minutes, with no data loss for cards.": {"rpo": ("15m", "0s")},
}


@pytest.mark.parametrize("text", ASKED)
def test_a_time_that_can_be_two_promises_or_is_no_number_of_hours_is_asked_about(text: str) -> None:
    got = imported(text)
    assert {asked.about.removeprefix("functions.payroll."): asked.choices for asked in got.questions} == ASKED[text]
    assert not objectives(got)


@pytest.mark.parametrize("said", ["We accept no data loss there.", "Zero data loss is the aim.", "Nothing may be lost."])
def test_no_loss_without_the_name_of_a_promise_is_asked_about_of_the_function_before_it(said: str) -> None:
    got = imported(f"Payroll must be back within 4 hours. {said}")
    assert objectives(got) == {"rto": "4h"}
    assert [(asked.about, asked.choices) for asked in got.questions] == [("functions.payroll.rpo", ("0s",))]
    assert "impact" not in got.value["functions"]["payroll"]


@pytest.mark.parametrize(
    "said",
    [
        "Replication is synchronous, with no data loss.",
        "Payments have an RPO of zero cost.",
        "Our target is to have the shop back within 2 hours.",
        "The booking site must be back within four (5) hours.",
        "Each manager must return the form within 4 hours.",
        "An incident report is followed up within 2 days.",
        "Payments are made online within 2 days.",
    ],
)
def test_words_that_promise_nothing_make_no_function_and_stay_in_the_notes(said: str) -> None:
    got = import_document(f"# Plan\n\n## How it works\n\n{said}\n".encode(), "plan.md")
    assert "functions" not in got.value
    assert [note.text for note in got.notes] == [said]


def test_one_functions_promise_ahead_of_a_dash_is_not_the_whole_plans() -> None:
    got = import_document(b"# Plan\n\n## Recovery objectives\n\nScanning - RTO: 5 days, RPO: one working day.\n", "plan.md")
    assert got.value["functions"] == {"scanning": {"name": "Scanning", "rto": "5d"}}
    assert not got.value["objectives"]
    assert [asked.about for asked in got.questions] == ["functions.scanning.rpo"]


@pytest.mark.parametrize(("head", "key"), [(name, key) for key, names in PROMISE_NAMES.items() for name in names])
def test_a_column_is_known_by_the_names_that_sentences_know(head: str, key: str) -> None:
    other = "rpo" if key == "mtpd" else "mtpd"
    got = imported(f"| Function | {head} | {other.upper()} |\n|-|-|-|\n| Payroll | 15 min | 2 days |")
    assert objectives(got) == {key: "15m", other: "2d"}
    assert objectives(imported(f"Payroll's {head.lower()} is 15 minutes.")) == {key: "15m"}


def test_a_column_may_name_only_its_unit() -> None:
    got = imported("| Function | RTO | Maximum tolerable (hours) |\n|-|-|-|\n| Payroll | 4 h | 30 |")
    assert objectives(got) == {"rto": "4h", "mtpd": "30h"}


def test_a_column_of_the_most_data_that_may_be_lost_is_no_mtpd() -> None:
    got = imported("| Function | RTO | Maximum acceptable data loss |\n|-|-|-|\n| Payroll | 4 h | 15 min |")
    assert objectives(got) == {"rto": "4h", "rpo": "15m"}


def test_a_time_that_is_nobodys_is_told_though_the_paragraph_has_others() -> None:
    before = imported("All must be running within 9 hours of the alarm, it says. Payroll has an RTO of 4 hours.")
    assert [note.text for note in before.notes] == ["All must be running within 9 hours of the alarm, it says."]
    assert objectives(before) == {"rto": "4h"}
    nameless = imported("Back within 9 hours. Payroll has an RTO of 4 hours.")
    assert [note.text for note in nameless.notes] == ["Back within 9 hours."]


def test_what_an_outage_means_is_kept_and_told_where_a_time_stands_in_it() -> None:
    got = imported("Payroll must be back within 4 hours. Without it we lose staff. After 3 days it cannot be caught up.")
    (function,) = got.value["functions"].values()
    assert function["impact"] == "Without it we lose staff. After 3 days it cannot be caught up."
    assert [note.text for note in got.notes] == ["After 3 days it cannot be caught up."]


NAMES = {
    "rto": ("RTO", "Recovery Time Objective", "Recovery Time Objective (RTO)", "RTO (Recovery Time Objective)", "recovery time"),
    "rpo": ("RPO", "Recovery Point Objective", "Recovery Point Objective (RPO)", "RPO (data loss)", "recovery point"),
    "mtpd": ("MTPD", "MTD", "Maximum Tolerable Downtime (MTD)"),
}
BETWEEN = (" ", " of ", " is ", ": ", " = ", " within ", " must not exceed ", " of no more than ", " set at ", " (at most) ", " of about ")
JOINED = (", ", " and ", "; ", " / ", "/", " but ", ". Its ", " (", " with ")
TIMES = ("one working day", "3 business days", "4 hours", "4h", "15 min", "15 minutes", "2 days", "half an hour", "90m", "3 h", "6 weeks")
HEADS = ("Payroll has ", "Payroll must be back soon. The ", "", "It has ", "Payroll's ", "Payroll: ")
EVERY = re.compile(r"\b(?:one working day|3 business days|half an hour|[0-9]+ ?(?:hours|h|min|minutes|days|m|weeks))\b")
PIECES = st.one_of(
    *(st.tuples(st.sampled_from(names), st.sampled_from(BETWEEN), st.sampled_from(TIMES)).map("".join) for names in NAMES.values()),
    st.tuples(st.sampled_from(TIMES), st.sampled_from((" RTO", "-RPO", " (RTO)", " of data", ""))).map("".join),
    st.tuples(
        st.sampled_from(("back within ", "losing ", "no loss after ", "an outage of ", "we stop after ")), st.sampled_from(TIMES)
    ).map("".join),
)


@given(
    st.sampled_from(HEADS),
    st.lists(st.tuples(PIECES, st.sampled_from(JOINED)), min_size=1, max_size=4),
)
def test_every_length_of_time_in_a_sentence_is_typed_or_asked_about_or_told(head: str, pieces: list[tuple[str, str]]) -> None:
    text = head + "".join(piece + joined for piece, joined in pieces).rstrip(" (/,;.") + "."
    got = imported(text)
    functions = got.value.get("functions", {})
    held = [value for entry in functions.values() for key, value in entry.items() if key in ("rto", "rpo", "mtpd")]
    told = " ".join([*(note.text for note in got.notes), *(asked.says for asked in got.questions)])
    held += [choice for asked in got.questions for choice in asked.choices]
    for said in EVERY.findall(text):
        assert said in told or plan_form(said) in held, (said, got.value, told)


@given(st.permutations(["rto", "rpo", "mtpd"]), st.data())
def test_no_promise_ever_gets_anothers_time(order: list[str], data: st.DataObject) -> None:
    times = {"rto": "4 hours", "rpo": "15 minutes", "mtpd": "2 days"}

    def draw(choices: tuple[str, ...]) -> str:
        return data.draw(st.sampled_from(choices))

    said = [f"{draw(NAMES[key])}{draw(BETWEEN)}{times[key]}" for key in order]
    got = imported("Payroll has " + said[0] + "".join(draw(JOINED) + one for one in said[1:]) + ".")
    wanted = {"rto": "4h", "rpo": "15m", "mtpd": "2d"}
    for entry in got.value.get("functions", {}).values():
        assert {key: value for key, value in entry.items() if key in wanted}.items() <= wanted.items()


def plan_form(said: str) -> str:
    """A length of time as the plan writes it."""
    if said == "half an hour":
        return "30m"
    number, unit = re.fullmatch(r"([0-9]+) ?([a-z])[a-z]*", said).groups()  # type: ignore[union-attr]
    return number + unit


def functions_in(paragraph: str) -> Imported:
    return import_document(f"# Plan\n\n## Functions\n\n{paragraph}\n".encode(), "plan.md")


def test_a_promise_with_another_time_beside_it_is_asked_about() -> None:
    said = "Order intake must be back within four hours, or two hours in December."
    got = functions_in(said)
    assert got.value["functions"] == {"order-intake": {"name": "Order intake"}}
    assert [(one.about, one.choices) for one in got.questions] == [("functions.order-intake.rto", ("4h", "2h"))]
    assert not got.notes


def test_two_promises_side_by_side_are_no_alternatives() -> None:
    got = functions_in("Crown milling must be back within 4 hours, and may lose at most 15 minutes of data.")
    assert got.value["functions"]["crown-milling"] == {"name": "Crown milling", "rto": "4h", "rpo": "15m"}
    assert not got.questions


@pytest.mark.parametrize(
    "said",
    ["Neither may lose more than an hour.", "Both must be back within a day.", "Within four hours of an alarm billing must be back."],
)
def test_what_is_said_of_several_or_begins_with_a_time_makes_no_function_of_its_own(said: str) -> None:
    got = functions_in(f"Crown milling has an RTO of 4 hours and an RPO of 15 minutes. {said}")
    assert got.value["functions"] == {"crown-milling": {"name": "Crown milling", "rto": "4h", "rpo": "15m"}}
    assert said in " ".join(note.text for note in got.notes)


@pytest.mark.parametrize("ahead", ["Billing is of class A.", "Billing runs in Zone B.", "Billing follows Plan B."])
def test_a_letter_at_a_sentences_end_gives_its_promise_to_nobody_else(ahead: str) -> None:
    got = import_document(f"# Plan of Foo\n\n## Functions\n\n{ahead} Payroll must be back within 4 hours.\n".encode(), "plan.md")
    assert got.value["functions"] == {"payroll": {"name": "Payroll", "rto": "4h"}}
    assert [note.text for note in got.notes] == [ahead]
