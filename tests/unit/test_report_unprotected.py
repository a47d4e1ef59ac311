"""What the report says of protection that a named person dropped: by what came of it, and by what was in force when it mattered."""

from dataclasses import replace
from typing import Any

import pytest

from holdfast.journal.kinds import Kind
from holdfast.report.build import build
from holdfast.report.model import Report, Rule
from unit.chains import in_order, lines_of
from unit.report_facts import DR, HOME, IMPACT, ReportStory

BY, WHY = "aoife-brennan", "eu-central-1 has no power"
Told = tuple[float, Kind, dict[str, Any]]


def ordered(at: float, ask: str, mode: str = "asynchronous", *, component: str = "database", region: str = HOME) -> Told:
    """A person's word, so many seconds from impact."""
    body = {"ask": ask, "by": BY, "role": "platform-lead", "because": WHY if mode == "asynchronous" else "", "component": component}
    return at, Kind.PROTECTION_ORDERED, {**body, "kind": "postgres", "region": region, "mode": mode, "order": [0, 1, 1, 1]}


def came(at: float, ask: str, outcome: str = "succeeded", mode: str = "asynchronous", *, component: str = "database") -> Told:
    """What came of it."""
    body = {"ask": ask, "component": component, "region": HOME, "mode": mode, "outcome": outcome, "detail": "said the agent"}
    return at, Kind.PROTECTION_CHANGED, body


def report(*told: Told, incident: str = "", **story: Any) -> Report:
    """The report of a synchronous installation in whose journal these stand too."""
    facts = ReportStory(replication="synchronous", **story).facts()
    more = [(IMPACT + at, kind.value, incident, body) for at, kind, body in told]
    return build(replace(facts, records=in_order([*lines_of(facts.records), *more])))


def rule(found: Report) -> Rule:
    (one,) = (rule for rule in found.rules if rule.name == "synchronous")
    return one


def said(found: Report, about: str = "database") -> list[str]:
    return [f"{one.result}: {one.sentence}" for one in found.findings if one.about == about and BY in one.sentence]


DROPPED_LONG_BEFORE = (ordered(-600.0, "c1"), came(-599.0, "c1"))


@pytest.mark.parametrize("incident", ["", "inc-1-0"])
def test_what_a_person_let_go_on_unprotected_breaks_no_promise_when_it_is_lost_and_is_held_to_bound_and_rpo(incident: str) -> None:
    found = report(*DROPPED_LONG_BEFORE, incident=incident)
    assert (found.lost_writes.rows_and_keys, found.lost_writes.unprotected) == (3, 3)
    assert rule(found).result == "pass"
    assert f"synchronous but for PostgreSQL, which {BY} let go on unprotected" in rule(found).sentence
    assert "3 acknowledged rows and keys: the bound and the RPO hold for it" in rule(found).sentence
    assert {one.name: one.result for one in found.rules}["loss-bound"] == "pass"
    assert said(found) == [
        f"unknown: {BY} (platform-lead) dropped its protection in {HOME} 10 min before impact: {WHY}. "
        "3 acknowledged writes of that time are known to be lost."
    ]
    above = report(*DROPPED_LONG_BEFORE, loss_bound_seconds=1.0)
    assert {one.name: one.result for one in above.rules}["loss-bound"] == "fail"


def test_without_a_loss_nobody_claims_that_all_was_synchronous() -> None:
    found = report(*DROPPED_LONG_BEFORE, lost={})
    assert rule(found).result == "pass"
    assert "but for PostgreSQL" in rule(found).sentence
    assert "0 acknowledged rows and keys of the rest were lost" in rule(found).sentence


def test_another_component_is_still_promised_everything() -> None:
    found = report(ordered(-600.0, "c1", component="cache"), came(-599.0, "c1", component="cache"))
    assert (found.lost_writes.rows_and_keys, found.lost_writes.unprotected) == (3, 0)
    assert rule(found).result == "fail"
    assert "3 acknowledged rows and keys lost although replication was synchronous" in rule(found).sentence


def test_what_was_taken_back_before_the_incident_is_none_of_it() -> None:
    found = report(*DROPPED_LONG_BEFORE, ordered(-300.0, "c2", "synchronous"), came(-299.0, "c2", mode="synchronous"))
    assert (found.let_go, said(found)) == ((), [])
    assert rule(found).result == "fail"


def test_a_drop_that_was_refused_is_no_drop() -> None:
    before = report(ordered(-600.0, "c1"), came(-599.0, "c1", "refused"))
    assert (before.let_go, said(before), rule(before).result) == ((), [], "fail")
    within = report(ordered(0.5, "c1"), came(0.6, "c1", "refused"))
    assert said(within) == [
        f"pass: {BY} ordered to drop its protection in {HOME}: {WHY}. It was refused and changed nothing: said the agent."
    ]


@pytest.mark.parametrize("outcome", ["unknown", "failed", None])
def test_where_nobody_knows_what_came_of_it_a_loss_is_neither_forgiven_nor_blamed(outcome: str | None) -> None:
    came_of = [] if outcome is None else [came(-599.0, "c1", outcome)]
    found = report(ordered(-600.0, "c1"), *came_of)
    assert (found.lost_writes.unprotected, found.lost_writes.doubtful) == (0, 3)
    assert rule(found).result == "unknown"
    (sentence,) = said(found)
    assert "nobody knows whether it was protected" in sentence
    spared = report(ordered(-600.0, "c1"), *came_of, lost={})
    assert (rule(spared).result, "may have let go on unprotected" in rule(spared).sentence) == ("pass", True)


def test_a_way_back_that_came_to_nothing_known_leaves_the_rest_uncertain() -> None:
    found = report(*DROPPED_LONG_BEFORE, ordered(-300.0, "c2", "synchronous"), came(-280.0, "c2", "unknown", "synchronous"))
    assert [(part.certain, part.start_seconds) for part in found.let_go] == [(False, -300.0)]
    assert rule(found).result == "unknown"


def test_a_write_that_was_acknowledged_before_the_drop_is_still_promised() -> None:
    lost_at = min(second for function in report().functions for second in function.lost_at_seconds)
    found = report(ordered(lost_at + 0.01, "c1"), came(lost_at + 0.02, "c1"))
    assert 0 < found.lost_writes.unprotected < 3
    assert rule(found).result == "fail"


def test_the_next_incident_of_a_region_that_came_home_knows_no_old_word() -> None:
    away = {"run": "failover", "era": 0, "epoch": 1, "source": HOME, "target": DR}
    home = {"run": "way-back", "era": 0, "epoch": 1, "source": DR, "target": HOME}
    told = [*DROPPED_LONG_BEFORE, (-500.0, Kind.EPOCH_OPENED, away), (-400.0, Kind.EPOCH_OPENED, home)]
    found = report(*told, incident="inc-1-0")
    assert found.let_go == ()
    assert rule(found).result == "fail"


def test_protecting_again_in_the_incident_is_told_by_what_came_of_it() -> None:
    word = ordered(1.0, "c2", "synchronous")
    assert any("wait for its copy again" in one for one in said(report(*DROPPED_LONG_BEFORE, word, came(1.2, "c2", mode="synchronous"))))
    refused = said(report(*DROPPED_LONG_BEFORE, word, came(1.2, "c2", "refused", "synchronous")))
    assert any("It was refused and changed nothing" in one for one in refused)
