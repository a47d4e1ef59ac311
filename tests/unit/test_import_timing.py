"""By when somebody is told, and how often again, as tables of communication say it: read, or asked about, and never half of it."""

import pytest

from holdfast.document.reading import Imported, import_document

KEPT = ("due", "every", "counts_from")


def imported(when: str) -> Imported:
    text = f"# Plan of a dairy\n\n## Who is told\n\n| Audience | Channel | When |\n|-|-|-|\n| Farmers | Email | {when} |\n"
    return import_document(text.encode(), "plan.md")


def timing(got: Imported) -> dict[str, str]:
    message = got.value["messages"]["farmers"]
    return {key: message[key] for key in KEPT if key in message}


def asked(got: Imported) -> list[str]:
    return [question.about for question in got.questions]


@pytest.mark.parametrize(
    "when",
    [
        "If the outage lasts longer than 4 hours",
        "When the outage exceeds 4 hours",
        "Once it has lasted 4 hours",
        "Should it last over 4 hours",
        "30 minutes before the return",
        "1 day prior to planned work",
        "No later than 30 minutes before opening",
    ],
)
def test_a_condition_and_a_time_that_counts_back_are_no_time_by_which_somebody_is_told(when: str) -> None:
    got = imported(when)
    assert (timing(got), asked(got)) == ({}, ["messages.farmers.due"])
    assert got.questions[0].says.startswith(f"'{when}': ") and not got.questions[0].choices


@pytest.mark.parametrize(
    "when",
    [
        "Within 1 hour, then every 2 hours",
        "Within 1 hour and every 2 hours thereafter",
        "Within 1 hour; updates every 2 hours until resolved",
        "1 h (then every 2 h)",
        "Every 2 hours, the first within 1 hour",
    ],
)
def test_the_first_time_and_how_often_again_are_two_values(when: str) -> None:
    got = imported(when)
    assert (timing(got), asked(got)) == ({"due": "1h", "every": "2h"}, [])


def test_what_is_told_again_and_again_is_due_the_first_time_after_as_long() -> None:
    assert timing(imported("Every 30 minutes")) == {"due": "30m", "every": "30m"}


@pytest.mark.parametrize(
    ("when", "about", "kept"),
    [
        ("Immediately, then every 2 hours", ["due"], {"every": "2h"}),
        ("Within 1 hour, then every few hours", ["every"], {"due": "1h"}),
        ("Every 2 hours within 1 hour", ["every", "due"], {}),
        ("Every 2 hours if it lasts longer than a day", ["every", "due"], {}),
    ],
)
def test_of_two_times_each_that_is_not_clear_is_asked_about_with_all_their_words(when: str, about: list[str], kept: dict[str, str]) -> None:
    got = imported(when)
    assert (timing(got), asked(got)) == (kept, [f"messages.farmers.{key}" for key in about])
    assert all("2 hours" in question.says or "few hours" in question.says for question in got.questions)


def test_what_stands_behind_a_time_is_kept_or_said_to_be_left_out() -> None:
    back = imported("Within 24 hours after service is restored")
    assert timing(back) == {"due": "24h", "counts_from": "restored"} and not back.concluded
    perhaps = imported("Within 72 hours, if personal data is concerned")
    assert [(one.value, one.because) for one in perhaps.concluded] == [("72h", "'if personal data is concerned' is left out")]
