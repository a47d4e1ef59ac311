"""When a run is expected to be through: from earlier runs, else from the plan's windows, and never surer than that."""

import pytest

from holdfast.conduct.expected import run_progress
from holdfast.conduct.runs import FAILOVER, phases_of
from holdfast.runbook.expectation import Expected, chain_to, expectation, measured_seconds, proof_of_service
from holdfast.runbook.graph import Runbook, runbook
from unit.conduct_on_paper import Paper


def _book(paper: Paper) -> Runbook:
    return runbook(phases_of(paper.plan, "regional-outage", FAILOVER))


def _expected(paper: Paper, measured: dict[str, float] | None = None) -> dict[str, Expected]:
    book, now = run_progress(paper.situation(), paper.incident, FAILOVER)
    phases = phases_of(paper.plan, "regional-outage", FAILOVER)
    return dict(expectation(book, phases, now, measured or {}, paper.incident.impact_seconds, paper.now))


def _through(exercise: str | None = "exercise-7", *people: str) -> Paper:
    paper = Paper(exercise=exercise)
    paper.lose_region()
    paper.wait(4.0)
    paper.approve(*(people or ("exercise-one", "exercise-two")))
    paper.region_answers()
    assert paper.incident.runs_finished == {FAILOVER: "succeeded"}
    return paper


def test_without_earlier_runs_the_plans_windows_are_the_forecast() -> None:
    paper = Paper()
    paper.lose_region()
    found = _expected(paper)
    impact = paper.incident.impact_seconds
    assert found["approve"].ends_seconds == impact + 600.0
    assert found["smoke-test"].ends_seconds == impact + 1800.0
    assert found["smoke-test"].by_plan
    assert not found["smoke-test"].not_before


def test_earlier_runs_are_what_counts_when_there_are_any() -> None:
    paper = _through()
    book = _book(paper)
    measured = measured_seconds([paper.incident], "regional-outage", FAILOVER, book, "another-exercise")
    assert measured["fence"] == pytest.approx(0.1)
    assert measured["approve"] == pytest.approx(4.0)
    later = Paper()
    later.lose_region()
    found = _expected(later, dict(measured))
    assert found["approve"].ends_seconds == pytest.approx(later.now + 4.0)
    assert later.now + 4.0 < found["smoke-test"].ends_seconds < later.now + 6.0
    assert not found["smoke-test"].by_plan


def test_how_fast_stand_ins_decide_says_nothing_about_a_real_incident() -> None:
    paper = _through()
    measured = measured_seconds([paper.incident], "regional-outage", FAILOVER, _book(paper), None)
    assert "approve" not in measured
    assert "fence" in measured


def test_other_scenarios_and_steps_that_a_person_called_done_do_not_count() -> None:
    paper = Paper()
    paper.outcomes["postgres.promote"] = "refused"
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    assert paper.command("choose", "exercise-one", step="promote-database", choice="done", reason="by hand") == "accepted"
    measured = measured_seconds([paper.incident], "regional-outage", FAILOVER, _book(paper), "x")
    assert "promote-database" not in measured
    assert measured_seconds([paper.incident], "another", FAILOVER, _book(paper), "x") == {}


def test_who_is_overdue_has_no_known_end_and_neither_has_what_follows() -> None:
    paper = Paper()
    paper.lose_region()
    paper.wait(20.0)
    found = _expected(paper, {"approve": 4.0, "fence": 2.0, "promote-database": 1.0})
    assert found["approve"] == Expected(paper.now, not_before=True, by_plan=False, waits_for="assess")
    assert found["fence"].ends_seconds == paper.now + 2.0
    assert found["fence"].not_before


def test_a_step_that_waits_for_a_person_makes_the_rest_uncertain() -> None:
    paper = Paper()
    paper.outcomes["postgres.promote"] = "refused"
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    found = _expected(paper, dict.fromkeys(("promote-database", "update-settings"), 1.0))
    assert found["promote-database"].not_before
    assert found["smoke-test"].not_before


def test_a_run_that_is_late_gets_a_windows_length_for_what_never_ran() -> None:
    paper = Paper()
    paper.lose_region()
    paper.wait(3600.0)
    found = _expected(paper)
    assert found["approve"].not_before
    assert found["fence"].ends_seconds == pytest.approx(paper.now + 300.0)


def test_the_chain_ends_with_the_proof_and_begins_with_the_first_step() -> None:
    paper = Paper()
    paper.lose_region()
    found = _expected(paper)
    assert proof_of_service(_book(paper)) == "smoke-test"
    chain = chain_to(found, "smoke-test")
    assert chain[0] == "assess"
    assert chain[-3:] == ("switch-load-balancer", "switch-dns", "smoke-test")
