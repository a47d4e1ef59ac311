"""Whom a document names and how they are reached: every number and address is found, asked about or noted, and nobody is made up."""

import re
from typing import Any

import pytest

from holdfast.document.reading import import_document
from holdfast.document.reading.importing import Imported


def contacts(*rows: str) -> Imported:
    table = "\n".join(f"| {row} |" for row in rows)
    return import_document(f"# Plan\n\n## Contacts\n\n| Name | Role | Phone | Email |\n|---|---|---|---|\n{table}\n".encode(), "plan.md")


def people(found: Imported) -> dict[str, Any]:
    return dict(found.value.get("people", {}))


def asked(found: Imported) -> dict[str, tuple[str, ...]]:
    return {question.about: question.choices for question in found.questions}


def test_a_number_and_an_address_in_their_columns_are_taken_and_nothing_is_asked() -> None:
    found = contacts("Nora Berg | Crisis Manager | +49 40 555 0100 | nora@see.example", "Duty desk | | 112 | n/a")
    assert people(found) == {
        "nora-berg": {"name": "Nora Berg", "title": "Crisis Manager", "email": "nora@see.example", "phone": "+49 40 555 0100"},
        "duty-desk": {"name": "Duty desk", "title": "Duty desk", "phone": "112"},
    }
    assert asked(found) == {}


@pytest.mark.parametrize(
    ("row", "about", "choices"),
    [
        ("Ulf Dahl | Engineer | ext. 4711 | ulf@see.example", "people.ulf-dahl.phone", ()),
        ("Ulf Dahl | Engineer | on request | ulf@see.example", "people.ulf-dahl.phone", ()),
        ("Jan Falk | Deputy | +49 40 555 0101 / +49 170 555 0102 | ", "people.jan-falk.phone", ("+49 40 555 0101", "+49 170 555 0102")),
        ("Jan Falk | Deputy | | jan@a.example, j@b.example", "people.jan-falk.email", ("jan@a.example", "j@b.example")),
        ("Ida Holm, Kai Rot | Drivers | +49 40 555 0109 | ", "people.ida-holm.name", ("Ida Holm", "Kai Rot")),
        ("Ida Holm and Kai Rot | Drivers | +49 40 555 0109 | ", "people.ida-holm-and-kai-rot.name", ("Ida Holm", "Kai Rot")),
    ],
)
def test_what_is_more_than_one_or_no_number_at_all_is_asked_about(row: str, about: str, choices: tuple[str, ...]) -> None:
    found = contacts(row)
    assert asked(found) == {about: choices}
    (person,) = people(found).values()
    assert not re.search(r"on request|ext\.", " ".join(str(value) for value in person.values()))


def test_a_role_table_keeps_what_is_no_number_out_of_names() -> None:
    table = "| Role | Primary | Phone | Backup |\n|---|---|---|---|\n| Network Engineer | Ulf Dahl | ext. 4711 | vacant |\n"
    found = import_document(f"# Plan\n\n## Roles\n\n{table}".encode(), "plan.md")
    assert {name: person["name"] for name, person in people(found).items()} == {"ulf-dahl": "Ulf Dahl"}
    assert list(asked(found)) == ["people.ulf-dahl.phone"]
    assert "backup" not in found.value["roles"]["network-engineer"]


def test_a_role_table_with_a_short_number_beside_an_address_that_holds_it_damages_neither() -> None:
    rows = "| Duty officer | Ada Lund | 112 | ops112@see.example |\n| Night desk | vacant | 113 | night113@see.example |\n"
    found = import_document(f"# Plan\n\n## Roles\n\n| Role | Primary | Phone | Email |\n|---|---|---|---|\n{rows}".encode(), "plan.md")
    assert people(found)["ada-lund"] == {"name": "Ada Lund", "title": "Duty officer", "email": "ops112@see.example", "phone": "112"}
    told = {(note.text, note.section) for note in found.notes}
    assert ("Night desk, phone: 113", "Plan > Roles") in told, "a number that nobody holds is not lost"


@pytest.mark.parametrize(
    "sentence",
    [
        "In the absence of both, call the duty desk on +47 22 00 01 01.",
        "If nobody answers, reach Per Lund (+47 22 00 01 02) and then Eva Moe (+47 22 00 01 03).",
    ],
)
def test_a_sentence_about_calling_makes_nobody_up_and_stands_in_the_notes(sentence: str) -> None:
    found = import_document(f"# Plan\n\n## Who to call\n\n{sentence}\n".encode(), "plan.md")
    assert people(found) == {}
    assert any(sentence[:30] in note.text for note in found.notes)


def test_whoever_else_a_sentence_about_a_role_names_is_not_lost() -> None:
    sentence = (
        "Maria Keane is the crisis lead, on +47 22 00 01 01; the next to call are Per Lund, +47 22 00 01 02, and Eva Moe, +47 22 00 01 03."
    )
    found = import_document(f"# Plan\n\n## People\n\n{sentence}\n".encode(), "plan.md")
    assert found.value["roles"]["crisis-lead"]["primary"] == "maria-keane"
    assert any("Eva Moe" in note.text for note in found.notes)


def test_the_role_that_a_step_names_does_it() -> None:
    document = (
        "# Plan\n\n## Roles\n\n| Role | Primary | Backup |\n|---|---|---|\n| Crisis Manager | Nora Berg | Jan Falk |\n"
        "| Network Engineer | Ulf Dahl | Jan Falk |\n\n## Scenario 1: Fire\n\n### Response procedure\n\n1. **Alarm (0-10 minutes)**\n"
        "   - Crisis Manager declares the emergency\n   - Lines are moved over by the Network Engineer\n\n"
        "### Return\n\n- Move the lines back\n"
    )
    scenario = import_document(document.encode(), "plan.md").value["scenarios"]["fire"]
    assert [step["by"] for phase in scenario["phases"] for step in phase["steps"]] == ["crisis-manager", "network-engineer"]
    assert scenario["rollback"] == ["Move the lines back"]


def roles_in(paragraph: str) -> Imported:
    return import_document(f"# Plan\n\n## Roles\n\n{paragraph}\n".encode(), "plan.md")


def test_a_paragraph_with_two_roles_gives_each_its_own_people() -> None:
    found = roles_in(
        "Greta Lindqvist is the incident commander. Priya Nair is the technical lead and her deputy is Jonas Berg, jonas@b.example."
    )
    assert found.value["roles"] == {
        "incident-commander": {"name": "incident commander", "primary": "greta-lindqvist"},
        "technical-lead": {"name": "technical lead", "primary": "priya-nair", "backup": "jonas-berg"},
    }
    assert {name: one.get("email") for name, one in people(found).items()} == {
        "greta-lindqvist": None,
        "priya-nair": None,
        "jonas-berg": "jonas@b.example",
    }
    assert not found.notes


def test_an_address_behind_another_name_is_not_given_to_who_was_named_first_and_the_paragraph_is_noted() -> None:
    said = "Greta Lindqvist is the incident commander. The press is handled by Sofia Keller, sofia@b.example, phone +46 20 555 0109."
    found = roles_in(said)
    assert people(found)["greta-lindqvist"].keys() == {"name", "title"}
    assert [note.text for note in found.notes] == [said]


SAID = {
    "Our technical lead is Priya Nair; her phone is +46 20 555 0103.": ("technical-lead", "priya-nair +46 20 555 0103", ""),
    "Our technical lead is Priya Nair (+46 20 555 0103, priya@b.example).": (
        "technical-lead",
        "priya-nair +46 20 555 0103 priya@b.example",
        "",
    ),
    "Priya Nair is our incident commander, deputised by Jonas Berg.": ("incident-commander", "priya-nair", "jonas-berg"),
    "The DR coordinator is Priya Nair; her deputy is Jonas Berg.": ("dr-coordinator", "priya-nair", "jonas-berg"),
    "The DR coordinator is Priya Nair and her deputy is Jonas Berg, jonas@b.example.": (
        "dr-coordinator",
        "priya-nair",
        "jonas-berg jonas@b.example",
    ),
    "Our Technical Lead is Priya Nair. Her backup is Jonas Berg. Priya can be reached at 555-010-2213, Jonas at (555) 010-2214.": (
        "technical-lead",
        "priya-nair 555-010-2213",
        "jonas-berg (555) 010-2214",
    ),
    "Priya Nair is the incident lead. Jonas Berg deputises for her.": ("incident-lead", "priya-nair", "jonas-berg"),
    "Priya Nair is the incident lead, with Jonas Berg as her stand-in (jonas@b.example).": (
        "incident-lead",
        "priya-nair",
        "jonas-berg jonas@b.example",
    ),
    "Facilities lead – Priya Nair, 555-010-2220": ("facilities-lead", "priya-nair 555-010-2220", ""),
    "Our IT manager, Priya Nair (priya@b.example), is the technical lead.": ("technical-lead", "priya-nair priya@b.example", ""),
    "Priya Nair, Chief Operating Officer, acts as incident commander and Jonas Berg as her deputy.": (
        "incident-commander",
        "priya-nair",
        "jonas-berg",
    ),
    "The role of press lead is held by Ms Priya Nair, with Jonas Berg standing in.": ("press-lead", "priya-nair", "jonas-berg"),
    "Crisis manager: Priya Nair": ("crisis-manager", "priya-nair", ""),
    "Crisis manager: Priya Nair, 555-010-2220. Alternate: Jonas Berg, 555-010-2221.": (
        "crisis-manager",
        "priya-nair 555-010-2220",
        "jonas-berg 555-010-2221",
    ),
}


@pytest.mark.parametrize("said", SAID)
def test_a_sentence_gives_a_role_its_holder_and_deputy_and_each_their_own_address(said: str) -> None:
    found = import_document(f"# Plan\n\n## Who does what\n\n{said}\n".encode(), "plan.md")
    name, holder, deputy = SAID[said]
    told = {name: " ".join([name, *(one[key] for key in ("phone", "email") if key in one)]) for name, one in people(found).items()}
    assert set(found.value["roles"]) == {name}
    assert told.get(found.value["roles"][name]["primary"]) == holder
    assert told.get(found.value["roles"][name].get("backup", ""), "") == deputy
    assert len(told) == 1 + bool(deputy)
    assert not found.notes
    assert not found.questions


def test_a_role_said_in_passing_is_taken_and_its_paragraph_stays_in_the_notes() -> None:
    said = (
        "The incident commander, Priya Nair, decides within 15 minutes (+46 20 555 0103)."
        " If she cannot be reached, Jonas Berg (+46 20 555 0104) takes over."
    )
    found = roles_in(said)
    assert found.value["roles"]["incident-commander"] == {"name": "incident commander", "primary": "priya-nair", "backup": "jonas-berg"}
    assert {name: one["phone"] for name, one in people(found).items()} == {"priya-nair": "+46 20 555 0103", "jonas-berg": "+46 20 555 0104"}
    assert [note.text for note in found.notes] == [said]


def test_whose_a_number_is_when_a_pronoun_can_mean_two_people_is_asked_about() -> None:
    found = roles_in("Priya Nair is the incident lead; her deputy is Ida Holm. Reach her on +46 20 555 0103.")
    assert asked(found) == {"people.priya-nair.phone": ("+46 20 555 0103",)}
    assert not any("phone" in one for one in people(found).values())


@pytest.mark.parametrize(
    "said",
    [
        "The crisis manager is Priya Nair or Jonas Berg.",
        "The board liaison is to be named.",
        "The night manager on duty acts as first responder until somebody comes.",
        "Priya Nair is responsible for payroll.",
        "Document owner is decided next year; Business Continuity Manager is vacant.",
    ],
)
def test_a_sentence_without_one_holder_of_a_role_makes_nobody_up_and_stands_in_the_notes(said: str) -> None:
    found = roles_in(said)
    assert "roles" not in found.value
    assert people(found) == {}
    assert [note.text for note in found.notes] == [said]


@pytest.mark.parametrize(
    "said",
    [
        "Mobile banking: RTO of under an hour, RPO of zero. Her deputy is Jonas Berg.",
        "Billing is back soon. Scanning: it waits. Reach the desk on +46 20 555 0103; deputy: anybody.",
    ],
)
def test_a_line_with_a_label_that_goes_on_as_a_sentence_makes_no_role(said: str) -> None:
    found = roles_in(said)
    assert "roles" not in found.value
    assert people(found) == {}


def test_what_else_a_paragraph_about_a_role_says_is_not_lost() -> None:
    found = roles_in("Priya Nair is the incident lead. She must be told of everything over 15 minutes.")
    assert found.value["roles"]["incident-lead"]["primary"] == "priya-nair"
    assert [note.text for note in found.notes] == ["She must be told of everything over 15 minutes."]


@pytest.mark.parametrize(
    "said",
    [
        "Priya Nair is the incident lead, who must decide within 15 minutes.",
        "Priya Nair is the incident lead (+46 20 555 0103); the keys are in the bunker.",
        "The incident lead is Priya Nair, who has the only key to the vault.",
        "The incident lead is Priya Nair; her deputy is Jonas Berg, but never in August.",
    ],
)
def test_what_a_sentence_goes_on_to_say_behind_a_role_is_not_lost(said: str) -> None:
    found = roles_in(said)
    assert found.value["roles"]["incident-lead"]["primary"] == "priya-nair"
    assert [note.text for note in found.notes] == [said]


def test_suppliers_in_a_list_are_no_people() -> None:
    items = "- NordicHost, our hosting company: +47 22 00 11 22, help@nordic.example\n- CardPay: (555) 010-2230, weekdays 8 to 16\n"
    found = import_document(f"# Plan\n\n## Suppliers\n\n{items}".encode(), "plan.md")
    assert {name: (one["phone"], one.get("email")) for name, one in found.value["vendors"].items()} == {
        "nordichost-our-hosting-company": ("+47 22 00 11 22", "help@nordic.example"),
        "cardpay": ("(555) 010-2230", None),
    }
    assert people(found) == {}
