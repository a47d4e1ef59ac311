"""A region that was just promoted in synchronous mode: until its copy follows nothing else holds what it acknowledges, and that is said."""

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from holdfast.journal.kinds import Kind
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.lost import StoodAlone
from holdfast.report.model import Report
from holdfast.report.page import page
from holdfast.report.terminal import summary
from unit.chains import in_order, lines_of
from unit.report_facts import DR, HOME, IMPACT, INCIDENT, ReportStory

Told = tuple[float, Kind, dict[str, Any]]
PROTECTED = {"ask": "c9", "component": "database", "region": DR, "mode": "synchronous"}
A_WORD: tuple[Told, ...] = (
    (
        33.0,
        Kind.PROTECTION_ORDERED,
        {**PROTECTED, "by": "exercise-one", "role": None, "because": "", "kind": "postgres", "order": [0, 2, 1, 99]},
    ),
    (33.5, Kind.PROTECTION_CHANGED, {**PROTECTED, "outcome": "succeeded", "detail": ""}),
)


def report(*told: Told, **story: Any) -> Report:
    """The report of a synchronous installation that lost nothing, in whose journal these stand too."""
    facts = ReportStory(**{"replication": "synchronous", "lost": {}, **story}).facts()
    return build(with_records(facts, told))


def with_records(facts: ReportFacts, told: tuple[Told, ...]) -> ReportFacts:
    more = [(IMPACT + at, kind.value, INCIDENT, body) for at, kind, body in told]
    return replace(facts, records=in_order([*lines_of(facts.records), *more]))


def ends(found: Report) -> dict[tuple[str, str], str | None]:
    """(component, region) → how its standing alone ended."""
    return {(part.component, part.region): part.ended_by for part in found.stood_alone}


def database_of(found: Report, region: str) -> StoodAlone:
    return next(part for part in found.stood_alone if (part.component, part.region) == ("database", region))


def step_of(found: Report, name: str) -> Any:
    return next(step for step in found.steps if step.step == name)


def said(found: Report) -> list[tuple[str, str]]:
    return [(one.result, one.sentence) for one in found.findings if one.about == "PostgreSQL" and "nothing else" in one.sentence]


def printed(found: Report) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary(found, "out"))
    return " ".join(captured.get().split())


def test_whoever_is_promoted_stands_alone_until_the_other_region_follows_and_the_verdict_counts_nothing_of_it() -> None:
    found = report()
    stood = dict.fromkeys([("database", DR), ("cache", DR), ("database", HOME), ("cache", HOME)], "followed")
    assert ends(found) == stood, "there and on the way home"
    part = database_of(found, DR)
    assert part.start_seconds == pytest.approx(step_of(found, "promote-database").started_seconds)
    assert part.end_seconds == pytest.approx(step_of(found, "reprotect-database").ended_seconds)
    assert found.verdict == "pass", found.reasons
    result, sentence = said(found)[0]
    assert result == "pass"
    assert f"until {HOME} followed it again" in sentence and f"nothing else held what {DR} acknowledged" in sentence
    assert f"Nothing else held what {DR} acknowledged until {HOME} followed it again: Redis 26 s, PostgreSQL 30 s." in printed(found)
    assert sentence in page(found)


def test_while_no_copy_follows_yet_it_is_said_as_something_that_may_still_end_badly() -> None:
    found = report(way_back=False)
    assert ends(found) == {("database", DR): None, ("cache", DR): None}
    ((result, sentence),) = said(found)
    assert result == "unknown"
    assert f"nothing else holds what {DR} acknowledges until {HOME} follows it again" in sentence
    assert f"Nothing else holds what {DR} acknowledges until {HOME} follows it again: Redis, PostgreSQL." in printed(found)
    assert found.verdict == report(way_back=False, replication="asynchronous").verdict, "that is no failure by itself"


def test_where_nothing_waits_for_a_copy_nothing_stands_alone() -> None:
    assert report(replication="asynchronous").stood_alone == ()


def test_a_region_that_is_fenced_before_anything_followed_it_stood_alone_to_its_end() -> None:
    found = report(skipped=frozenset({"reprotect-database"}))
    part = database_of(found, DR)
    assert part.ended_by == "fenced"
    assert part.end_seconds == pytest.approx(step_of(found, "fence-dr").ended_seconds)
    assert f"{HOME} never followed it" in said(found)[0][1]
    assert f"until it was fenced, and {HOME} never followed it: PostgreSQL " in printed(found)


@pytest.mark.parametrize("came", [("settled", "unknown"), ("skipped", "unknown"), ("failed", "no")])
def test_a_copy_of_which_nobody_proved_that_it_follows_ends_nothing(came: tuple[str, str]) -> None:
    found = report(outcomes={"reprotect-dr-database": came})
    assert database_of(found, HOME).end_seconds is None
    assert database_of(found, DR).ended_by == "followed"


@pytest.mark.parametrize("came", ["refused", "failed", "unknown"])
def test_a_promotion_that_is_not_known_to_have_come_about_is_none_of_it(came: str) -> None:
    assert ("database", DR) not in ends(report(outcomes={"promote-database": (came, "unknown")}))


def again(at: float, outcome: str, verified: str = "yes") -> tuple[Told, Told]:
    """Another attempt of the promotion."""
    named = {"run": "failover", "step": "promote-database", "block": "postgres.promote", "attempt": 2}
    world = {"component": "database", "source": HOME, "target": DR, "mode": "ungraceful", "order": [0, 2, 1, 90], "parameters": {}}
    done = {"outcome": outcome, "detail": "", "facts": {}, "checked": "yes", "verified": verified}
    return (at, Kind.STEP_INTENDED, {**named, **world}), (at + 0.2, Kind.STEP_FINISHED, {**named, **done})


def test_a_promotion_of_which_nobody_knew_counts_from_its_first_order_and_a_refused_one_from_the_next() -> None:
    first = step_of(report(), "promote-database")
    at = first.ended_seconds + 1.0
    unknown = report(*again(at, "settled"), outcomes={"promote-database": ("unknown", "unknown")})
    assert database_of(unknown, DR).start_seconds == pytest.approx(first.started_seconds)
    refused = report(*again(at, "succeeded"), outcomes={"promote-database": ("refused", "unknown")})
    assert database_of(refused, DR).start_seconds == pytest.approx(at)


def test_a_persons_word_that_each_write_waits_again_ends_it_too() -> None:
    assert database_of(report(*A_WORD), DR).end_seconds == pytest.approx(33.5)
    refused = (*A_WORD[:1], (33.5, Kind.PROTECTION_CHANGED, {**PROTECTED, "outcome": "refused", "detail": ""}))
    assert database_of(report(*refused), DR).end_seconds == pytest.approx(step_of(report(), "reprotect-database").ended_seconds)
