"""Whose a number, an address and a title are: taken where the words say it, asked where they contradict each other, and never lost."""

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.checks import check
from holdfast.document.reading import import_document
from holdfast.document.reading.importing import Imported
from holdfast.plan.organisation import Person
from unit.plan_texts import plan_with


def imported(body: str) -> Imported:
    return import_document(f"# Ferry Line BCP\n\n{body}\n".encode(), "plan.md")


def people(found: Imported) -> dict[str, Any]:
    return dict(found.value.get("people", {}))


def reached(found: Imported) -> dict[str, set[str]]:
    return {one["name"]: {one[key] for key in ("phone", "email") if key in one} for one in people(found).values()}


def asked(found: Imported) -> dict[str, tuple[str, ...]]:
    return {question.about: question.choices for question in found.questions}


PAIR = "The Harbour Manager is Olga Brandt. Her deputy is Marek Sund. "
SAID = {
    "Olga's mobile is 087 555 0201.": ({"087 555 0201"}, set()),
    "Olga’s mobile is 087 555 0201 and Marek's is 087 555 0202.": ({"087 555 0201"}, {"087 555 0202"}),
    "Call 087 555 0201 for Sund and 087 555 0202 for Brandt.": ({"087 555 0202"}, {"087 555 0201"}),
    "087 555 0201 is Olga's number.": ({"087 555 0201"}, set()),
    "Write to marek.sund@f.example or o.brandt@f.example.": ({"o.brandt@f.example"}, {"marek.sund@f.example"}),
    "Marek answers at desk@f.example.": (set(), {"desk@f.example"}),
}


@pytest.mark.parametrize("said", SAID)
def test_a_name_beside_a_number_or_within_an_address_says_whose_it_is(said: str) -> None:
    found = imported(PAIR + said)
    assert reached(found) == dict(zip(("Olga Brandt", "Marek Sund"), SAID[said], strict=True))
    assert asked(found) == {}


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Mobile: 087 555 0201.", "087 555 0201"),
        ("Questions of the press: 087 555 0201.", "087 555 0201"),
        ("Olga and Marek share 087 555 0201.", "087 555 0201"),
        ("Olga answers at marek.sund@f.example.", "marek.sund@f.example"),
        ("Olga answers at jana.voss@f.example.", "jana.voss@f.example"),
    ],
)
def test_what_may_be_of_either_or_contradicts_the_name_beside_it_is_asked_about(said: str, value: str) -> None:
    found = imported(PAIR + said)
    assert reached(found) == {"Olga Brandt": set(), "Marek Sund": set()}
    assert list(asked(found).values()) == [(value,)]


def test_an_address_of_another_name_in_a_row_is_asked_about() -> None:
    found = imported(
        "## Contacts\n\n| Name | Email |\n|---|---|\n| Olga Brandt | marek.sund@f.example |\n| Ida Ree | night.desk@f.example |"
    )
    assert reached(found) == {"Olga Brandt": set(), "Ida Ree": {"night.desk@f.example"}}
    assert asked(found) == {"people.olga-brandt.email": ("marek.sund@f.example",)}


@pytest.mark.parametrize("head", ["Deputy's phone", "Phone (deputy)", "Deputy mobile", "Phone of the deputy"])
def test_a_column_that_says_whose_number_it_holds_is_theirs(head: str) -> None:
    rows = "| Pier lead | Olga Brandt | Marek Sund | 087 555 0202 |"
    found = imported(f"## Roles\n\n| Role | Primary | Deputy | {head} |\n|---|---|---|---|\n{rows}")
    assert reached(found) == {"Olga Brandt": set(), "Marek Sund": {"087 555 0202"}}


@pytest.mark.parametrize("head", ["Phone", "Cell", "Mobile", "Tel."])
@pytest.mark.parametrize("heads", ["Role | Primary | Deputy", "Name | Title | Hours"])
def test_a_column_of_numbers_is_known_by_the_same_words_in_every_table_of_people(heads: str, head: str) -> None:
    row = {"Role": "Pier lead", "Primary": "Olga Brandt", "Name": "Olga Brandt"}
    cells = " | ".join(row.get(one, "n/a") for one in heads.split(" | "))
    found = imported(f"## Roles\n\n| {heads} | {head} |\n|---|---|---|---|\n| {cells} | 087 555 0201 |")
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}}


def test_columns_for_both_may_stand_in_any_order() -> None:
    heads = "| Backup e-mail | Role | Primary phone | Backup | Primary | Backup phone |"
    row = "| m@f.example | Pier lead | 087 555 0201 | Marek Sund | Olga Brandt | 087 555 0202 |"
    found = imported(f"## Roles\n\n{heads}\n|---|---|---|---|---|---|\n{row}")
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}, "Marek Sund": {"m@f.example", "087 555 0202"}}


def test_a_number_behind_the_deputy_whose_column_says_nobody_is_marked_as_concluded() -> None:
    found = imported(
        "## Roles\n\n| Role | Primary | Deputy | Phone |\n|---|---|---|---|\n| Pier lead | Olga Brandt | Marek Sund | 087 555 0201 |"
    )
    assert [one.about for one in found.concluded if one.about.endswith("phone")] == ["people.olga-brandt.phone"]


def test_somebody_elses_number_in_a_contact_table_is_noted_and_not_taken() -> None:
    heads = "| Name | Deputy | Deputy's phone | Manager's e-mail | Alternate phone | Mobile |"
    row = "| Olga Brandt | Marek Sund | 087 555 0202 | boss@f.example | 087 555 0203 | 087 555 0201 |"
    found = imported(f"## Contacts\n\n{heads}\n|---|---|---|---|---|---|\n{row}")
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}}
    notes = " ".join(note.text for note in found.notes)
    assert all(value in notes for value in ("Marek Sund", "087 555 0202", "boss@f.example", "087 555 0203"))


BULLETS = {
    "Olga Brandt: +353 87 555 0201 (24/7)": ("Olga Brandt", "title not given", "+353 87 555 0201"),
    "Olga Brandt: 087 555 0201 24/7": ("Olga Brandt", "title not given", "087 555 0201"),
    "Olga Brandt: Fleet Engineer, 087 555 0201": ("Olga Brandt", "Fleet Engineer", "087 555 0201"),
    "Olga Brandt, Fleet Engineer: 087 555 0201": ("Olga Brandt", "Fleet Engineer", "087 555 0201"),
    "Olga Brandt (purser): (087) 555 0201, weekdays only": ("Olga Brandt", "purser", "(087) 555 0201"),
    "Olga Brandt – purser – 087 555 0201": ("Olga Brandt", "purser", "087 555 0201"),
    "Olga Brandt, m: +44 (0)20 7946 0001": ("Olga Brandt", "title not given", "+44 (0)20 7946 0001"),
    "Night desk: 087 555 0201": ("Night desk", "Night desk", "087 555 0201"),
}


@pytest.mark.parametrize("line", BULLETS)
def test_a_contact_in_a_list_is_a_person_and_no_role(line: str) -> None:
    found = imported(f"## Contacts\n\n- {line}")
    name, title, phone = BULLETS[line]
    assert list(people(found).values()) == [{"name": name, "title": title, "phone": phone}]
    assert "roles" not in found.value
    remarks = [remark for remark in ("24/7", "weekdays only") if remark in line]
    assert all(any(remark in note.text for note in found.notes) for remark in remarks)


def test_a_number_in_a_table_ends_before_the_hours_in_brackets() -> None:
    found = imported("## Contacts\n\n| Name | Phone |\n|---|---|\n| Olga Brandt | +353 87 555 0201 (24/7) |")
    assert reached(found) == {"Olga Brandt": {"+353 87 555 0201"}}
    assert "people.olga-brandt.phone" in asked(found)


def test_the_number_of_a_role_in_a_list_is_its_holders_and_a_label_of_a_number_is_nobody() -> None:
    found = imported(
        "## Roles and contacts\n\n- Pier lead: Olga Brandt, o.brandt@f.example\n- Pier lead: 087 555 0201\n- Phone: 087 555 0209"
    )
    assert reached(found) == {"Olga Brandt": {"087 555 0201", "o.brandt@f.example"}}
    assert any("087 555 0209" in note.text for note in found.notes)


def test_in_a_list_of_roles_a_line_is_a_role_by_its_label_or_by_the_words_behind_a_name() -> None:
    lines = "- Olga Brandt: Fleet Engineer, 087 555 0201\n- Marek Sund: purser, 087 555 0202\n- Pier lead: the mayor, 087 555 0203"
    found = imported(f"## Roles\n\n{lines}\n- Yard lead: weekdays only, 087 555 0204")
    assert {name: role["primary"] for name, role in found.value["roles"].items()} == {
        "fleet-engineer": "olga-brandt",
        "pier-lead": "the-mayor",
    }
    assert {one["name"]: one["title"] for one in people(found).values()} == {
        "Olga Brandt": "Fleet Engineer",
        "Marek Sund": "purser",
        "the mayor": "Pier lead",
        "Yard lead": "Yard lead",
    }
    assert [note.text for note in found.notes] == ["Yard lead: weekdays only"]


def test_a_label_of_a_number_beside_it_is_no_remark() -> None:
    found = imported("## Contacts\n\n| Name | Contact |\n|---|---|\n| Olga Brandt | Mobile: 087 555 0201 |\n| Ida Ree | at the quay |")
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}, "Ida Ree": set()}
    assert [note.text for note in found.notes] == ["Ida Ree: at the quay"]


@pytest.mark.parametrize("heading", ["", "## Staff\n\n"])
@pytest.mark.parametrize("said", ["The Pier Manager is Olga Brandt. Deputy: Marek Sund.", "Pier Manager: Olga Brandt. Deputy: Marek Sund."])
def test_a_deputy_behind_a_role_in_the_same_line_stands_in_for_its_holder(said: str, heading: str) -> None:
    found = imported(heading + said)
    assert found.value["roles"] == {"pier-manager": {"name": "Pier Manager", "primary": "olga-brandt", "backup": "marek-sund"}}
    assert not found.notes


def test_a_deputy_in_brackets_has_no_part_of_what_stands_behind_them() -> None:
    found = imported("## Roles\n\n- Pier lead: Olga Brandt (deputy: Marek Sund, 087 555 0202), 087 555 0201")
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}, "Marek Sund": {"087 555 0202"}}


@pytest.mark.parametrize("word", ["substitute: ", "second in command: ", "Back-up is ", "her replacement: ", "deputy "])
def test_a_deputy_by_any_word_for_one_stands_in(word: str) -> None:
    found = imported(f"## Roles\n\n- Pier lead: Olga Brandt ({word}Marek Sund), 087 555 0201")
    assert found.value["roles"] == {"pier-lead": {"name": "Pier lead", "primary": "olga-brandt", "backup": "marek-sund"}}
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}, "Marek Sund": set()}


def test_a_deputy_may_be_given_by_a_title_and_several_are_left_to_a_person() -> None:
    lines = "- Pier lead: Olga Brandt (deputy: purser), 087 555 0201\n- Yard lead: Ida Ree, 087 555 0202; deputies: Marek Sund, Jo Falk"
    found = imported(f"## Roles\n\n{lines}")
    assert found.value["roles"]["pier-lead"]["backup"] == "purser"
    assert not {"marek-sund", "jo-falk"} & set(people(found))
    assert any("Marek Sund, Jo Falk" in note.text for note in found.notes)


@pytest.mark.parametrize("title", ["Deputy Director", "Deputy Finance Director", "replacement buses"])
def test_a_title_that_begins_with_such_a_word_makes_nobody_up(title: str) -> None:
    found = imported(f"## Roles\n\n- Pier lead: Olga Brandt, {title}, 087 555 0201")
    assert found.value["roles"] == {"pier-lead": {"name": "Pier lead", "primary": "olga-brandt"}}
    assert reached(found) == {"Olga Brandt": {"087 555 0201"}}
    assert title in {one["title"] for one in people(found).values()} | {note.text.removeprefix("Olga Brandt: ") for note in found.notes}


def test_a_list_of_leads_and_their_deputies_makes_no_role_of_its_heading() -> None:
    lines = "- Pier lead: Olga Brandt, 087 555 0201\n- Deputy pier lead: Marek Sund, 087 555 0202\n- Yard lead: Ida Ree, 087 555 0203"
    found = imported(f"## Contacts\n\n{lines}")
    assert {name: role["primary"] for name, role in found.value["roles"].items()} == {
        "pier-lead": "olga-brandt",
        "deputy-pier-lead": "marek-sund",
        "yard-lead": "ida-ree",
    }
    assert not found.questions


@pytest.mark.parametrize("lead", ["Lead", "Team lead", "Primary contact", "Held by"])
def test_a_heading_is_a_role_where_a_label_under_it_says_who_holds_it(lead: str) -> None:
    found = imported(f"## Ferry crew\n\n- {lead}: Olga Brandt\n- Deputy: Marek Sund")
    assert found.value["roles"] == {"ferry-crew": {"name": "Ferry crew", "primary": "olga-brandt", "backup": "marek-sund"}}


def test_a_number_of_neither_a_person_nor_a_label_is_not_given_to_the_only_one_who_is_named() -> None:
    found = imported("The Harbour Manager is Olga Brandt. Questions of the press: press@f.example.")
    assert reached(found) == {"Olga Brandt": set()}
    assert asked(found) == {"people.olga-brandt.email": ("press@f.example",)}
    assert reached(imported("The Harbour Manager is Olga Brandt. Mobile: 087 555 0201.")) == {"Olga Brandt": {"087 555 0201"}}


@pytest.mark.parametrize("name", ["Jan van der Berg", "J. Sund", "Seán Ó Briain", "Ana-Lucía del Río"])
def test_a_name_with_little_words_or_initials_is_no_post(name: str) -> None:
    (who,) = people(imported(f"## Contacts\n\n- {name}: 087 555 0201")).values()
    assert (who["name"], who["title"]) == (name, "title not given")


@pytest.mark.parametrize("heading", ["", "## Crew\n\n", "## Crisis team\n\n"])
def test_a_deputy_of_nobody_makes_no_role_of_the_heading(heading: str) -> None:
    found = imported(f"{heading}Deputy: Marek Sund.")
    assert "roles" not in found.value
    assert any("Marek Sund" in note.text for note in found.notes)


def test_a_name_with_the_family_name_first_is_turned_and_asked_about_once_alone() -> None:
    one = imported("## Contacts\n\n| Name | Phone |\n|---|---|\n| Sund, Marek | 087 555 0202 |\n| Olga Brandt, purser | 087 555 0201 |")
    assert {name: who["title"] for name, who in people(one).items()} == {"marek-sund": "title not given", "olga-brandt": "purser"}
    assert asked(one) == {"people.marek-sund.name": ("Marek Sund", "Sund, Marek")}
    column = "| Sund, Marek | 087 555 0202 |\n| Brandt, Olga (purser) | 087 555 0201 |"
    all_so = imported(f"## Contacts\n\n| Name | Phone |\n|---|---|\n{column}")
    assert {who["name"]: who["title"] for who in people(all_so).values()} == {"Marek Sund": "title not given", "Olga Brandt": "purser"}
    assert asked(all_so) == {}
    row = "| Pier lead | Brandt, Olga | Sund, Marek |"
    roles = imported(f"## Roles\n\n| Role | Primary | Deputy |\n|---|---|---|\n{row}")
    assert set(people(roles)) == {"olga-brandt", "marek-sund"}
    assert asked(roles) == {}


def test_whose_deputy_somebody_is_makes_them_the_backup_and_not_the_other_way_round() -> None:
    rows = "| Deputy pier lead | Marek Sund | Olga Brandt |\n| Pier lead | Olga Brandt | |\n| Purser | Ida Ree | the mayor |"
    found = imported(f"## Roles\n\n| Role | Name | Deputy of |\n|---|---|---|\n{rows}")
    assert {name: (role["primary"], role.get("backup")) for name, role in found.value["roles"].items()} == {
        "deputy-pier-lead": ("marek-sund", None),
        "pier-lead": ("olga-brandt", "marek-sund"),
        "purser": ("ida-ree", None),
    }
    assert any("the mayor" in note.text for note in found.notes)


@pytest.mark.parametrize(
    "line",
    [
        "Owner: Olga Brandt, Operations Director.",
        "Version: 2.1. Owner: Olga Brandt, Operations Director. Date: 3 March 2026.",
        "This plan is kept in the harbour office and in the wheelhouse of every ferry. Owner: Olga Brandt, Operations Director.",
        "Document owner: Olga Brandt. Version: 3.",
    ],
)
def test_whose_the_document_is_makes_no_role(line: str) -> None:
    found = imported(line)
    assert "roles" not in found.value
    assert found.value.get("document", {}).get("owner", "").startswith("Olga Brandt") or any("Olga Brandt" in n.text for n in found.notes)


def test_a_person_without_a_title_is_no_post_and_a_post_without_a_person_is() -> None:
    found = imported("## Contacts\n\n- Olga Brandt: 087 555 0201\n- Harbour Manager: 087 555 0202")
    everybody = {name: Person(**one) for name, one in people(found).items()}
    assert {who.name: who.title for who in everybody.values()} == {"Olga Brandt": "title not given", "Harbour Manager": "Harbour Manager"}
    plan = plan_with()
    plan = plan.model_copy(update={"people": {**plan.people, **everybody}})
    posts = [finding.sentence for finding in check(plan, date(2026, 11, 28)) if finding.code == "HF123"]
    assert len(posts) == 1 and "'Harbour Manager' is a post" in posts[0]


PHONES = st.integers(1000, 9999).flatmap(lambda last: st.sampled_from([f"+353 87 555 {last}", f"087 555 {last}", f"(555) 010-{last}"]))
EMAILS = st.sampled_from(["olga@f.example", "marek.sund@f.example", "desk@f.example", "i.ree@f.example"])
WAYS = PHONES | EMAILS
WHO = st.sampled_from(
    ["Olga Brandt", "Marek Sund", "Ree, Ida", "Pier Manager", "Night desk", "Phone", "Deputy", "Owner", "His deputy", "Olga"]
)
BESIDE = st.sampled_from(
    ["", ", purser", " (24/7)", ", weekdays only", " (Pier Manager)", ". Deputy: Marek Sund", ", ext. 12", " for Olga"]
)
LINES = st.builds(
    lambda shape, who, one, beside, other, mark: mark + shape.format(who=who, one=one, beside=beside, other=other),
    st.sampled_from(
        [
            "{who}: {one}{beside}",
            "{who}: {one}{beside}, {other}",
            "{who}, {one} / {other}{beside}",
            "{who}{beside}: {one}",
            "{who} – {one}{beside}",
            "{who}: Olga Brandt, {one}{beside} {other}",
            "The Pier Manager is {who}. Her deputy is Marek Sund{beside}. {one} and {other}.",
            "{who} is the purser{beside}; call {one}, or {other}.",
        ]
    ),
    WHO,
    WAYS,
    BESIDE,
    WAYS,
    st.sampled_from(["", "- ", "1. "]),
)
HEADS = st.sampled_from(
    ["Name", "Role", "Primary", "Deputy", "Phone", "Deputy's phone", "E-mail", "Backup phone", "Contact", "Title", "Deputy of"]
)
CELLS = WHO | WAYS | st.just("") | st.builds(" ".join, st.tuples(WHO, WAYS))
TABLES = st.lists(HEADS, min_size=2, max_size=6, unique=True).flatmap(
    lambda heads: st.lists(st.tuples(*[CELLS] * len(heads)), min_size=1, max_size=3).map(
        lambda rows: "\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)) + "\n"
    )
)


def given_in(text: str) -> set[str]:
    return set(re.findall(r"[\w.]+@[\w.]+\w|\+353 87 555 \d{4}|(?<![\d ])087 555 \d{4}|\(555\) 010-\d{4}", text))


@given(
    st.sampled_from(["", "## Contacts", "## Roles", "## Suppliers", "## Pier Manager", "## Call list"]),
    st.lists(LINES | TABLES, max_size=6),
)
def test_every_number_and_address_of_a_document_stands_in_the_plan_a_question_or_a_note(heading: str, parts: list[str]) -> None:
    body = heading + "\n\n" + "\n\n".join(parts)
    found = imported(body)
    kept = given_in(str(found.value))
    assert given_in(body) <= kept
    for one in people(found).values():
        assert one["name"].strip(" ().,;:") and not given_in(one["name"])


@pytest.mark.parametrize("courtesy", ["Dr. ", "Dr ", "Prof. Dr. ", "Ms ", "Mrs. ", "Ing. ", "Dipl.-Ing. "])
@pytest.mark.parametrize("in_table", [True, False])
def test_what_somebody_is_called_by_courtesy_makes_no_second_person(courtesy: str, in_table: bool) -> None:
    table_name, spoken = (f"{courtesy}Olga Brandt", "Olga Brandt") if in_table else ("Olga Brandt", f"{courtesy}Olga Brandt")
    table = f"## Contacts\n\n| Name | Title | Phone |\n|---|---|---|\n| {table_name} | Harbour Director | 087 555 0201 |"
    found = imported(f"The Harbour Director, {spoken}, activates this plan.\n\n{table}")
    (who,) = people(found).values()
    assert (who["title"], who["phone"]) == ("Harbour Director", "087 555 0201") and who["name"].endswith("Olga Brandt")
    assert found.value["roles"]["harbour-director"]["primary"] == "olga-brandt" and not found.questions


def test_two_of_one_family_whom_only_a_courtesy_tells_apart_stay_two() -> None:
    found = imported("## Contacts\n\n| Name | Phone |\n|---|---|\n| Mr. Brandt | 087 555 0201 |\n| Mrs. Brandt | 087 555 0202 |")
    assert reached(found) == {"Mr. Brandt": {"087 555 0201"}, "Mrs. Brandt": {"087 555 0202"}}


def test_a_courtesy_ends_no_sentence() -> None:
    found = imported("The Harbour Director is Dr. Olga Brandt. Her deputy is Prof. Marek Sund. Reach her at 087 555 0201.")
    assert found.value["roles"]["harbour-director"] == {"name": "Harbour Director", "primary": "olga-brandt", "backup": "marek-sund"}
    assert not found.notes
