"""What a document says of itself: its version, its days and whose it is, in a row of a table or in a sentence."""

import pytest

from holdfast.document.reading import import_document
from holdfast.document.reading.importing import Imported


def imported(text: str) -> Imported:
    return import_document(f"# Acme BCP\n\n{text}\n".encode(), "doc.md")


def test_sentences_about_the_document_are_typed_one_by_one_and_the_rest_of_them_is_a_note() -> None:
    found = imported("Version 4.1, approved 2 May 2026. Next review: 2 May 2027. Owner: Ann Berg, Head of Freight.")
    assert found.value["version"] == "4.1"
    assert found.value["document"] == {"next_review": "2027-05-02", "owner": "Ann Berg, Head of Freight"}
    assert "roles" not in found.value and "people" not in found.value
    assert [note.text for note in found.notes] == ["approved 2 May 2026."]


def test_a_role_that_is_named_beside_the_version_stays_a_role() -> None:
    found = imported("Version 4.1. The incident lead is Ann Berg.")
    assert found.value["version"] == "4.1" and found.value["roles"]["incident-lead"]["primary"] == "ann-berg"
    assert not found.notes


@pytest.mark.parametrize("label", ["Version date", "Date of this version"])
def test_the_day_of_a_version_is_no_second_version(label: str) -> None:
    found = imported(f"| Item | Value |\n|---|---|\n| Version | 4.1 |\n| {label} | 2 May 2026 |")
    assert found.value["version"] == "4.1" and not found.questions
    assert found.value["document"] == {"last_updated": "2026-05-02"}


def test_the_day_of_an_approval_is_nobodys_name() -> None:
    found = imported("| Item | Value |\n|---|---|\n| Version | 4.1 |\n| Approval date | 2 May 2026 |")
    assert found.value["document"] == {}
    assert [note.text for note in found.notes] == ["Approval date | 2 May 2026"]


@pytest.mark.parametrize("mark", ["|", "·"])
def test_labels_beside_each_other_in_a_line_are_several(mark: str) -> None:
    line = f" {mark} ".join(("**Version:** 2.3", "**Date:** 12 June 2025", "**Classification:** Internal", "**Room:** 4"))
    found = imported(line)
    assert found.value["version"] == "2.3"
    assert found.value["document"] == {"last_updated": "2025-06-12", "classification": "Internal"}
    assert [(note.text, note.line) for note in found.notes] == [("Room: 4", 3)]


def test_a_line_of_labels_that_says_nothing_of_the_document_stays_one() -> None:
    found = imported("Room: 4 | Floor: 2")
    assert [note.text for note in found.notes] == ["Room: 4 | Floor: 2"]


IN_FORCE = pytest.mark.parametrize("label", ["Effective date", "Effective from", "Valid from", "Date in force"])


@IN_FORCE
def test_from_when_a_plan_holds_is_its_last_change_only_where_no_other_day_is_said_and_marked(label: str) -> None:
    found = imported(f"Version: 2.3\n{label}: 1 July 2025")
    assert found.value["document"] == {"last_updated": "2025-07-01"}
    assert [one.because for one in found.concluded] == ["it is from when the plan is in force, and no other day of a change is said"]


@IN_FORCE
@pytest.mark.parametrize("order", [1, -1])
def test_from_when_a_plan_holds_is_a_note_beside_the_day_it_was_changed(label: str, order: int) -> None:
    found = imported("\n".join(["Version: 2.3", f"{label}: 1 July 2025", "Last updated: 2 May 2025"][::order]))
    assert found.value["document"] == {"last_updated": "2025-05-02"}
    assert [note.text for note in found.notes] == [f"{label}: 1 July 2025"] and not found.questions and not found.concluded


def read(text: str) -> Imported:
    return import_document(text.encode(), "doc.md")


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_of_two_titles_the_one_of_a_plan_gives_the_name_and_the_other_is_a_note(gap: str) -> None:
    found = read(f"# St. Brigid's Hospital{gap}# LIS Downtime and Business Continuity Plan\n\nVersion: 2.3\n")
    assert found.value["name"] == "LIS Downtime" and found.value["version"] == "2.3"
    assert [(note.text, note.line) for note in found.notes] == [("St. Brigid's Hospital", 1)]


def test_a_title_with_no_words_of_its_own_leaves_the_name_to_the_other() -> None:
    found = read("# Acme Freight\n\n# Business Continuity Plan\n\nVersion: 2.3\n")
    assert found.value["name"] == "Acme Freight" and not found.notes


def test_headings_at_the_top_of_which_none_or_two_name_a_plan_give_no_name() -> None:
    assert "name" not in read("# Acme Freight\n\n# Roles\n\nNobody.\n").value
    assert "name" not in read("# Acme Plan\n\n# Harbour Plan\n\nNobody.\n").value
