"""Three plans in other styles: every RTO, RPO, role and contact is found, or listed as not understood; none is made up, none is lost.

The lists are whole in both directions: what is imported stands in the list, and every number, address and name that the document gives
for one of these stands in it too. A number that is changed in the document is followed; one that is taken out leaves nothing behind.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast.document.reading import Imported, import_document
from holdfast.plan.findings import values_at

DOCUMENTS = Path(__file__).parent / "documents"


@dataclass(frozen=True)
class Fact:
    """What a document says (`text`, between what stands beside it), what the plan must hold at `places`, and the same of another text."""

    places: str
    value: str
    before: str
    text: str
    after: str
    other: str
    other_value: str

    @property
    def said(self) -> str:
        return f"{self.before}{self.text}{self.after}"

    @property
    def is_objective(self) -> bool:
        return self.places.rpartition(".")[2] in ("rto", "rpo", "mtpd")


FACTS = {
    "prose": (
        Fact("functions.online-orders.rto", "2h", "within ", "2 hours", " and may", "7 hours", "7h"),
        Fact("functions.online-orders.rpo", "15m", "lose at most ", "15 minutes", "", "17 minutes", "17m"),
        Fact("functions.wholesale-invoicing.rto", "3d", "an RTO of ", "three days", "", "five days", "5d"),
        Fact("functions.wholesale-invoicing.rpo", "24h", "an RPO of ", "24 hours", "", "26 hours", "26h"),
        Fact("functions.till.rto", "30m", "again within ", "half an hour", "", "20 minutes", "20m"),
        Fact("functions.till.rpo", "5m", "losing ", "5 minutes", " of sales", "6 minutes", "6m"),
        Fact("roles.incident-lead.primary", "maria-keane", "", "Maria Keane", " is the incident lead", "Ruth Obi", "ruth-obi"),
        Fact("roles.incident-lead.backup", "tom-ward", "deputy is ", "Tom Ward", ",", "Ruth Obi", "ruth-obi"),
        Fact("roles.systems-recovery-lead.primary", "priya-shah", "", "Priya Shah", " is the", "Ruth Obi", "ruth-obi"),
        Fact("roles.systems-recovery-lead.backup", "jo-lund", "in her absence, ", "Jo Lund", ",", "Ruth Obi", "ruth-obi"),
        Fact("people.maria-keane.phone", "+44 20 7946 0101", "on ", "+44 20 7946 0101", " or", "+44 20 7946 0177", "+44 20 7946 0177"),
        Fact("people.maria-keane.email", "maria@keane-ward.example", "or ", "maria@keane-ward.example", ".", "m@k.example", "m@k.example"),
        Fact("people.tom-ward.phone", "+44 20 7946 0102", "reached on ", "+44 20 7946 0102", ".", "+44 20 7946 0177", "+44 20 7946 0177"),
        Fact("people.jo-lund.email", "jo@keane-ward.example", "Lund, ", "jo@keane-ward.example", ".", "j@k.example", "j@k.example"),
        Fact("vendors.the-flour-mill.phone", "+44 20 7946 0110", "mill: ", "+44 20 7946 0110", ",", "+44 20 7946 0177", "+44 20 7946 0177"),
    ),
    "contingency": (
        Fact("functions.berth-allocation.mtpd", "8h", "Berth allocation | ", "8 hours", " |", "9 hours", "9h"),
        Fact("functions.berth-allocation.rto", "4h", "8 hours | ", "4 hrs", " |", "5 hrs", "5h"),
        Fact("functions.berth-allocation.rpo", "1h", "4 hrs | ", "1 h", " |", "2 h", "2h"),
        Fact("functions.customs-declarations.rto", "12h", "24/7 | ", "12 hours", " |", "13 hours", "13h"),
        Fact("functions.archive-search.mtpd", "10d", "Archive search | ", "10 days", " |", "11 days", "11d"),
        Fact("functions.archive-search.rto", "72h", "10 days | ", "72 hours", " |", "71 hours", "71h"),
        Fact("functions.archive-search.rpo", "1d", "72 hours | ", "1 day", " |", "2 days", "2d"),
        Fact("components.register-database.rto", "4h", "nightly copies | ", "4 hours", " |", "6 hours", "6h"),
        Fact("components.register-database.rpo", "1h", "4 hours | ", "1 hour", " |", "3 hours", "3h"),
        Fact("components.web-application.rto", "4h", "None | ", "4 hours", " |", "6 hours", "6h"),
        Fact("roles.contingency-plan-director.primary", "ana-duarte", "Director | ", "Ana Duarte", " |", "Ruth Obi", "ruth-obi"),
        Fact("roles.contingency-plan-director.backup", "lars-holm", "Duarte | ", "Lars Holm", " |", "Ruth Obi", "ruth-obi"),
        Fact("roles.recovery-coordinator.primary", "ben-osei", "Coordinator | ", "Ben Osei", " |", "Ruth Obi", "ruth-obi"),
        Fact("roles.recovery-coordinator.backup", "kim-aalto", "Osei | ", "Kim Aalto", " |", "Ruth Obi", "ruth-obi"),
        Fact("people.ana-duarte.phone", "+351 21 555 0101", "Holm | ", "+351 21 555 0101", " |", "+351 21 555 0177", "+351 21 555 0177"),
        Fact("people.ana-duarte.email", "ana@harbour.example", "0101 | ", "ana@harbour.example", " |", "a@h.example", "a@h.example"),
        Fact("people.ben-osei.phone", "+351 21 555 0103", "Aalto | ", "+351 21 555 0103", " |", "+351 21 555 0177", "+351 21 555 0177"),
        Fact("people.ben-osei.email", "ben@harbour.example", "0103 | ", "ben@harbour.example", " |", "b@h.example", "b@h.example"),
    ),
    "merged": (
        Fact("functions.appointments.rto functions.lab-results.rto", "4h", 'rowspan="2">', "4", "</td>", "6", "6h"),
        Fact("functions.appointments.rpo", "30m", "4</td><td>", "0.5", "</td>", "1.5", "90m"),
        Fact("functions.lab-results.rpo", "1h", "Lab results</td><td>", "1", "</td>", "3", "3h"),
        Fact("functions.payroll.rto", "72h", "Payroll</td><td>", "72", "</td>", "71", "71h"),
        Fact("functions.payroll.rpo", "24h", "72</td><td>", "24", "</td>", "26", "26h"),
        Fact("roles.crisis-manager.primary", "noor-aziz", "manager</td><td>", "Noor Aziz", ",", "Ruth Obi", "ruth-obi"),
        Fact(
            "roles.crisis-manager.backup roles.data-steward.backup", "sam-brandt", 'rowspan="2">', "Sam Brandt", ",", "Ruth Obi", "ruth-obi"
        ),
        Fact("roles.data-steward.primary", "eva-lind", "steward</td><td>", "Eva Lind", ",", "Ruth Obi", "ruth-obi"),
        Fact("people.noor-aziz.email", "noor@alder.example", "Aziz, ", "noor@alder.example", "<", "n@a.example", "n@a.example"),
        Fact("people.sam-brandt.phone", "+49 30 555 0142", "Brandt, ", "+49 30 555 0142", "<", "+49 30 555 0177", "+49 30 555 0177"),
        Fact("people.eva-lind.phone", "+49 30 555 0143", "Lind, ", "+49 30 555 0143", "<", "+49 30 555 0177", "+49 30 555 0177"),
        Fact("vendors.nordnet.phone", "+49 30 555 0150", "Lines</td><td>", "+49 30 555 0150", "<", "+49 30 555 0177", "+49 30 555 0177"),
        Fact("vendors.nordnet.answers_within", "15m", "&lt; ", "15 min", "<", "20 min", "20m"),
    ),
}
NOT_UNDERSTOOD = {
    "prose": {"note: Baking itself should be resumed as soon as the power returns, which nobody can promise in hours."},
    "contingency": {
        "asked: functions.customs-declarations.mtpd",
        "asked: functions.customs-declarations.rpo",
        "there is none: components.web-application.rpo",
    },
    "merged": {"asked: functions.newsletter.rto", "asked: functions.newsletter.rpo"},
}
"""What the documents say of an RTO, an RPO or a contact without giving one."""
ELSEWHERE = {
    "prose": [],
    "contingency": [
        "30 minutes",  # windows of phases
        "30 min",
        "4 hours",
        "1 hour",  # lengths and aims of exercises
        "15 minutes",
        "1 day",
        "4 hours",
        "2 hours",
    ],
    "merged": ["10 years", "1 h", "8 hours", "8 hours"],  # retention, and lengths of outages
}
"""Other lengths of time in the documents, in their order."""
PLACES = (
    *(f"functions.*.{key}" for key in ("rto", "rpo", "mtpd")),
    *(f"components.*.{key}" for key in ("rto", "rpo")),
    *(f"roles.*.{key}" for key in ("primary", "backup")),
    *(f"people.*.{key}" for key in ("phone", "email", "chat")),
    *(f"vendors.*.{key}" for key in ("phone", "email", "answers_within")),
    "objectives.rto",
    "objectives.rpo",
)
_LENGTH = re.compile(r"\b\d[\d.]*\s*(?:hours?|hrs?|h|min(?:ute)?s?|days?|years?)\b")
_ADDRESS = re.compile(r"[\w.]+@[\w.-]+\w|\+\d[\d ]+\d")


def source(name: str) -> str:
    return (DOCUMENTS / f"{name}.md").read_text(encoding="utf-8")


def imported(text: str) -> Imported:
    return import_document(text.encode(), "plan.md")


def found(got: Imported) -> dict[str, Any]:
    return {".".join(map(str, place)): value for pattern in PLACES for place, value in values_at(got.value, tuple(pattern.split(".")))}


def listed(name: str) -> dict[str, str]:
    return {place: fact.value for fact in FACTS[name] for place in fact.places.split()}


def unsettled(got: Imported, place: str) -> bool:
    """Whether a person is told that the plan lacks this: asked, said to be none, missing, not said, or its sentence kept as a note."""
    told = {asked.about for asked in got.questions} | {absent.about for absent in got.absent} | set(got.missing) | set(got.unsaid)
    return place in told or any(place.startswith(f"{one}.") for one in told)


GIVEN = [(name, fact) for name, facts in FACTS.items() for fact in facts]
EACH = [pytest.param(name, fact, id=f"{name}: {fact.places}") for name, fact in GIVEN]
EACH_OBJECTIVE = [pytest.param(name, fact, id=f"{name}: {fact.places}") for name, fact in GIVEN if fact.is_objective]


@pytest.mark.parametrize("name", FACTS)
def test_every_objective_role_and_contact_is_found_and_no_other(name: str) -> None:
    assert found(imported(source(name))) == listed(name)


@pytest.mark.parametrize("name", FACTS)
def test_what_is_no_objective_is_listed_as_not_understood(name: str) -> None:
    got = imported(source(name))
    said = {f"asked: {asked.about}" for asked in got.questions} | {f"there is none: {absent.about}" for absent in got.absent}
    said |= {f"note: {note.text}" for note in got.notes}
    assert said >= NOT_UNDERSTOOD[name]
    assert {one for one in said if one.endswith((".rto", ".rpo", ".mtpd", ".phone", ".email", ".primary"))} <= NOT_UNDERSTOOD[name]


@pytest.mark.parametrize("name", FACTS)
def test_the_list_holds_everything_that_the_document_gives(name: str) -> None:
    """Without what is listed, the document holds no address or telephone number, and no other length of time than those of other things."""
    text = source(name)
    for fact in FACTS[name]:
        assert text.count(fact.said) == 1, fact.said
    spans = [text.index(fact.said) + len(fact.before) for fact in FACTS[name]]
    for start, fact in zip(spans, FACTS[name], strict=True):
        text = text[:start] + "_" * len(fact.text) + text[start + len(fact.text) :]
    assert _ADDRESS.findall(text) == []
    assert _LENGTH.findall(text) == ELSEWHERE[name]


@pytest.mark.parametrize(("name", "fact"), EACH)
def test_what_a_document_says_otherwise_is_followed_and_nothing_else_changes(name: str, fact: Fact) -> None:
    got = found(imported(source(name).replace(fact.said, f"{fact.before}{fact.other}{fact.after}")))
    expected = listed(name) | dict.fromkeys(fact.places.split(), fact.other_value)
    person = fact.value if fact.places.startswith("roles.") else ""
    moved = (
        {place.replace(f"people.{person}.", f"people.{fact.other_value}."): value for place, value in expected.items()} if person else {}
    )
    assert got == (moved or expected)


@pytest.mark.parametrize(("name", "fact"), EACH_OBJECTIVE)
def test_an_objective_that_is_taken_out_is_told_and_leaves_no_value_behind(name: str, fact: Fact) -> None:
    got = imported(source(name).replace(fact.said, f"{fact.before}as agreed{fact.after}"))
    for place in fact.places.split():
        assert place not in found(got)
        assert unsettled(got, place) or any("as agreed" in note.text for note in got.notes), place


@pytest.mark.parametrize(
    ("sentence", "rto", "rpo"),
    [
        ("Billing has an RTO and RPO of 4 hours.", "4h", "4h"),
        ("Billing has an RTO as agreed and an RPO of 4 hours.", None, "4h"),
        ("Billing has an RTO that nobody set, and may lose 4 hours of data.", None, "4h"),
        ("Billing has an RTO of 2 hours and an RPO of 4 hours.", "2h", "4h"),
        ("Billing has an RPO to be agreed, RTO 2 hours.", "2h", None),
    ],
)
def test_a_time_in_a_sentence_belongs_to_the_nearest_words(sentence: str, rto: str | None, rpo: str | None) -> None:
    (function,) = imported(f"# Business functions\n\n{sentence}\n").value["functions"].values()
    assert (function.get("rto"), function.get("rpo")) == (rto, rpo)
