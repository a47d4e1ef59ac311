"""The verdict: every rule can fail, nothing measured is unknown, and only a whole report passes."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from holdfast.report.build import build
from holdfast.report.lost import LetGo, LostWrites
from holdfast.report.model import Finding, JournalState, LossBound, OnlyThere, OnlyThereComponent, Report, SingleWriter
from holdfast.report.verdict import RULES, judge, judged
from unit.report_facts import ReportStory

Change = Callable[[Report], Report]


@cache
def passing() -> Report:
    return build(ReportStory().facts())


def _with(**fields: Any) -> Change:
    return lambda report: report.model_copy(update=fields)


def _function(index: int, **fields: Any) -> Change:
    def change(report: Report) -> Report:
        functions = list(report.functions)
        functions[index] = functions[index].model_copy(update=fields)
        return report.model_copy(update={"functions": tuple(functions)})

    return change


def _component(index: int, **fields: Any) -> Change:
    def change(report: Report) -> Report:
        components = list(report.components)
        components[index] = components[index].model_copy(update=fields)
        return report.model_copy(update={"components": tuple(components)})

    return change


def _step(step: str, **fields: Any) -> Change:
    def change(report: Report) -> Report:
        return report.model_copy(
            update={"steps": tuple(found.model_copy(update=fields) if found.step == step else found for found in report.steps)}
        )

    return change


def _run(run: str, **fields: Any) -> Change:
    def change(report: Report) -> Report:
        return report.model_copy(
            update={"runs": tuple(found.model_copy(update=fields) if found.run == run else found for found in report.runs)}
        )

    return change


def _failback(**fields: Any) -> Change:
    return lambda report: report.model_copy(update={"failback": report.failback.model_copy(update=fields)})


def _all(*changes: Change) -> Change:
    def change(report: Report) -> Report:
        for one in changes:
            report = one(report)
        return report

    return change


SYNCHRONOUS = _with(replication="synchronous")
DROPPED = LetGo(
    component="database",
    name="PostgreSQL",
    region="eu-west-1",
    by="aoife-brennan",
    role="platform-lead",
    because="its standby has no power",
    certain=True,
    start_seconds=-600.0,
    end_seconds=None,
    lost=3,
)
WHOLE = JournalState(records=3, head="a" * 64, whole=True)

VIOLATIONS: list[tuple[str, str, Change, str]] = [
    (
        "rto",
        "an RTO missed by a second",
        _function(0, rto_actual_seconds=901.0),
        "Voice Call Processing was out for 15.02 min, its RTO is 15 min.",
    ),
    ("rpo", "an RPO missed", _function(0, rpo_actual_seconds=420.0), "its RPO is 5 min"),
    (
        "component-rto",
        "a component too late",
        _component(1, rto_actual_seconds=1000.0),
        "PostgreSQL was back after 17 min, its RTO is 15 min.",
    ),
    (
        "loss-bound",
        "more lost than shown",
        _with(loss_bound=LossBound(seconds=3.0, estimated_writes=1, true_seconds=3.8)),
        "bound of 3 s",
    ),
    ("loss-bound", "a bound of 0 broken", _with(loss_bound=LossBound(seconds=0.0, estimated_writes=0, true_seconds=0.2)), "bound of 0 s"),
    (
        "synchronous",
        "one write lost in synchronous mode",
        _all(SYNCHRONOUS, _with(lost_writes=LostWrites(total=1))),
        "1 acknowledged row or key lost",
    ),
    (
        "synchronous",
        "a key lost beside objects in synchronous mode",
        _all(SYNCHRONOUS, _with(lost_writes=LostWrites(total=4, rows_and_keys=1))),
        "1 acknowledged row or key lost although replication was synchronous, which allows 0. Object storage copies only after it "
        "acknowledges (3 lost objects)",
    ),
    (
        "synchronous",
        "a key lost beside what a person had let go on unprotected",
        _all(SYNCHRONOUS, _with(lost_writes=LostWrites(total=4, rows_and_keys=4, unprotected=3), let_go=(DROPPED,))),
        "1 acknowledged row or key lost although replication was synchronous, which allows 0 "
        "(counted apart: PostgreSQL, which aoife-brennan let go on unprotected)",
    ),
    (
        "single-writer",
        "a second writer",
        _with(single_writer=SingleWriter(checked=True, violations=2, checked_writes=9, details=("k twice",))),
        "2 signs in 9 writes",
    ),
    (
        "single-writer",
        "a second writer, though not everything was read",
        _with(single_writer=SingleWriter(checked=False, violations=1, checked_writes=9)),
        "1 sign in 9 writes",
    ),
    (
        "divergence",
        "a lost write that the lost side does not have either",
        _with(only_there=OnlyThere(needed=True, exported=True, complete=True, region="here", lost_found=2, lost_missing=1)),
        "1 lost acknowledged write of 3 cannot be found on the lost side either: ",
    ),
    ("failback", "a write lost on the way back", _failback(lost_acknowledged_writes=1), "The way back lost 1 acknowledged write"),
    ("failback", "the way back failed", _all(_failback(done=False), _run("way-back", outcome="failed")), "not done"),
    ("steps", "a step failed", _step("deploy", outcome="failed"), "Step deploy (application.deploy, failover) failed after 1 attempt"),
    ("steps", "a step was refused", _step("promote-database", outcome="refused"), "was refused"),
    ("steps", "a step without effect", _step("switch-dns", verified="no"), "its effect was not there"),
    ("runs", "the failover was abandoned", _run("failover", outcome="abandoned", reason="stood down"), "stood down"),
    ("runs", "a step of the plan was left out", _run("failover", missing_steps=("fence",)), "left out 1 step of the plan: fence"),
    (
        "journal",
        "a broken chain",
        _with(journal=JournalState(records=3, head="a", whole=False, first_break="record 2 is missing")),
        "record 2",
    ),
    (
        "evidence",
        "something that weighs",
        _with(findings=(Finding(about="the drill", result="fail", sentence="It cut nothing.", weighs=True),)),
        "It cut nothing",
    ),
]

UNKNOWNS: list[tuple[str, str, Change]] = [
    ("rto", "no functions", _with(functions=())),
    ("divergence", "nothing was exported before the lost side was overwritten", _with(only_there=OnlyThere(needed=True))),
    (
        "divergence",
        "a component that could not be exported",
        _with(
            only_there=OnlyThere(
                needed=True,
                exported=True,
                components=(OnlyThereComponent(component="cache", kind="redis", status="missing", detail="the disk is full"),),
            )
        ),
    ),
    ("rto", "a function still out", _function(2, rto_actual_seconds=None)),
    ("rto", "a function that nobody asked", _function(2, rto_actual_seconds=None, first_failed_seconds=None)),
    ("rpo", "a store that could not be read", _function(0, rpo_actual_seconds=None, lost_acknowledged_writes=None)),
    ("rpo", "a ledger that is not there", _function(0, acknowledged_writes=None)),
    ("component-rto", "a component without a measure", _component(0, rto_actual_seconds=None)),
    ("component-rto", "no components", _with(components=())),
    ("loss-bound", "no bound was shown", _with(loss_bound=LossBound(seconds=None, estimated_writes=None, true_seconds=0.0))),
    ("loss-bound", "the true loss is unknown", _with(loss_bound=LossBound(seconds=4.0, estimated_writes=None, true_seconds=None))),
    ("synchronous", "synchronous, loss unknown", _all(SYNCHRONOUS, _with(lost_writes=LostWrites(total=None)))),
    (
        "synchronous",
        "synchronous, and nobody knows whether what was lost was protected",
        _all(
            SYNCHRONOUS,
            _with(lost_writes=LostWrites(total=3, rows_and_keys=3, doubtful=3), let_go=(DROPPED.model_copy(update={"certain": False}),)),
        ),
    ),
    ("single-writer", "the check is incomplete", _with(single_writer=SingleWriter(checked=False, violations=None))),
    (
        "failback",
        "the way back has not begun",
        _all(_failback(done=False), lambda report: report.model_copy(update={"runs": report.runs[:1]})),
    ),
    ("failback", "the way back's loss is unknown", _failback(lost_acknowledged_writes=None)),
    ("failback", "the way back's outage has not ended", _failback(outage_seconds=None)),
    ("steps", "no steps", _with(steps=())),
    ("steps", "a step without an outcome", _step("deploy", outcome="unknown")),
    ("steps", "a step not verified", _step("deploy", verified="unknown")),
    ("runs", "no run", _with(runs=())),
    ("runs", "a run without an end", _run("way-back", outcome="unknown")),
    ("moments", "detection unknown", _with(detected_after_seconds=None)),
    ("moments", "decision unknown", _with(decided_after_seconds=None)),
    ("journal", "no records", _with(journal=JournalState(records=0, head="0" * 64, whole=None))),
    ("evidence", "a torn ledger", _with(findings=(Finding(about="ledger", result="unknown", sentence="Torn.", weighs=True),))),
]


def test_an_exercise_in_which_everything_held_passes_and_every_reason_carries_figures() -> None:
    judgement = judge(passing())
    assert judgement.verdict == "pass"
    assert {rule.result for rule in judgement.rules} == {"pass"}
    assert all(any(character.isdigit() for character in reason) and reason.endswith(".") for reason in judgement.reasons)


@pytest.mark.parametrize(("rule", "name", "change", "words"), VIOLATIONS, ids=[f"{rule}: {name}" for rule, name, _, _ in VIOLATIONS])
def test_each_rule_can_fail(rule: str, name: str, change: Change, words: str) -> None:
    judgement = judge(change(passing()))
    assert judgement.verdict == "fail"
    failed = [found for found in judgement.rules if found.result == "fail"]
    assert rule in {found.name for found in failed}
    assert any(words in found.sentence for found in failed), [found.sentence for found in failed]
    assert judgement.reasons[0] == failed[0].sentence


@pytest.mark.parametrize(("rule", "name", "change"), UNKNOWNS, ids=[f"{rule}: {name}" for rule, name, _ in UNKNOWNS])
def test_what_could_not_be_measured_is_unknown_and_never_a_pass(rule: str, name: str, change: Change) -> None:
    judgement = judge(change(passing()))
    assert judgement.verdict == "unknown"
    assert rule in {found.name for found in judgement.rules if found.result == "unknown"}
    assert judgement.reasons


def test_a_violation_outweighs_what_is_unknown() -> None:
    report = _all(_function(0, rto_actual_seconds=None), _failback(lost_acknowledged_writes=2))(passing())
    judgement = judge(report)
    assert judgement.verdict == "fail"
    assert len(judgement.reasons) > 1, "the reader sees what is unknown too"


def test_losing_writes_in_asynchronous_mode_is_no_failure_while_it_is_within_bound_and_rpo() -> None:
    assert passing().lost_writes.total == 3
    assert judge(passing()).verdict == "pass"


def test_a_planned_switchover_has_nothing_to_detect() -> None:
    report = _with(execution="graceful", detected_after_seconds=None)(passing())
    assert judge(report).verdict == "pass"


def test_a_finding_that_does_not_weigh_changes_nothing() -> None:
    report = _with(findings=(Finding(about="plan", result="fail", sentence="Voice promises 15 min, the path takes 30 min."),))(passing())
    assert judge(report).verdict == "pass"


def test_every_rule_has_a_case_here_that_violates_it_or_leaves_it_unknown() -> None:
    names = {rule.name for check in RULES for rule in check(judged(passing()))} | {"evidence", "synchronous"}
    assert names == {rule for rule, *_ in VIOLATIONS} | {rule for rule, *_ in UNKNOWNS}
