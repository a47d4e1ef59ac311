"""A whole exercise in virtual time, by the production controller, judged by the production report."""

import pytest

from holdfast.journal.kinds import Kind
from simulation.playing import PLAN, play, slow_copies, told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_regional_outage_passes_there_and_back(seed: int) -> None:
    exercised = play(seed=seed)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    assert report.failback.done and report.failback.lost_acknowledged_writes == 0
    assert {step.verified for step in report.steps} == {"yes"}


def test_the_same_seed_gives_the_same_journal_and_another_seed_another() -> None:
    first, again, other = play(seed=7), play(seed=7), play(seed=8)
    assert [record.hash for record in first.facts.records] == [record.hash for record in again.facts.records]
    assert first.facts.records[-1].hash != other.facts.records[-1].hash


def test_what_was_lost_is_counted_and_stays_within_the_bound_that_the_approvers_saw() -> None:
    exercised = play(slow_copies)
    report = exercised.report()
    assert report.verdict == "pass", told(exercised, report)
    assert report.loss_bound.lost_acknowledged_writes
    assert report.loss_bound.held


def test_everybody_is_told_once_and_only_the_enrolled_decide() -> None:
    records = play().facts.records
    sent = [(r.body["key"], r.body["channel"], r.body["recipient"]) for r in records if r.kind == Kind.NOTIFICATION_SENT]
    assert len(sent) == len(set(sent))
    assert all(PLAN.people[r.body["person"]].exercise for r in records if r.kind == Kind.APPROVED)
