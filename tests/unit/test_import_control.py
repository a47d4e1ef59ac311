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
