"""From journal, ledgers and stores to the report: the figures, and what stays unknown."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from holdfast.health.loss import SKEW_SECONDS
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Finding, Report
from unit.chains import chained, lines_of
from unit.report_facts import DR, HOME, IMPACT, INCIDENT, ReportStory


@cache
def story() -> ReportFacts:
    return ReportStory().facts()


@cache
def passing() -> Report:
    return build(story())


def test_a_whole_exercise_passes() -> None:
    report = passing()
    assert (report.verdict, report.kind, report.execution, report.incident) == ("pass", "exercise", "ungraceful", INCIDENT)
    assert report.title.startswith("EXERCISE: ")
    assert (report.source, report.target) == (HOME, DR)
    assert report.timezone in ("UTC", "Europe/Dublin")
    assert report.journal.whole is True
    assert report.journal.head == story().records[-1].hash


def test_detection_and_decision_count_from_the_cut() -> None:
    assert passing().detected_after_seconds == pytest.approx(2.1, abs=0.01)
    assert passing().decided_after_seconds == pytest.approx(5.2, abs=0.01)


def test_rto_counts_from_the_first_failed_request_to_the_first_of_ten_successes() -> None:
    voice = passing().functions[0]
    assert voice.first_failed_seconds == pytest.approx(0.0, abs=0.25)
    assert voice.recovered_seconds == pytest.approx(12.65, abs=0.25)
    assert voice.rto_actual_seconds == pytest.approx((voice.recovered_seconds or 0) - (voice.first_failed_seconds or 0), abs=0.002)
    assert passing().outage_seconds == max(function.rto_actual_seconds or 0 for function in passing().functions)


def test_lost_writes_are_counted_and_objects_that_came_back_are_late_not_lost() -> None:
    report = passing()
    assert [function.lost_acknowledged_writes for function in report.functions] == [2, 1, 0, 0, 0]
    assert report.functions[0].late_writes == 3
    assert report.lost_writes.total == 3
    assert [write.function for write in report.lost_writes.listed] == ["voice", "pms", "voice"]
    assert any("came back when the sides were reconciled" in finding.sentence for finding in report.findings)


def test_the_lost_time_runs_to_the_fence_and_stands_beside_the_bound() -> None:
    bound = passing().loss_bound
    assert bound.seconds == 4.4
    assert bound.true_seconds == passing().functions[0].rpo_actual_seconds
    assert bound.true_seconds == pytest.approx(3.78, abs=0.3)
    assert bound.held is True


def test_objects_that_never_come_back_are_lost() -> None:
    report = build(ReportStory(way_back=False).facts())
    assert report.functions[0].lost_acknowledged_writes == 5
    assert report.verdict == "unknown", "the region is not home yet"
    assert report.failback.done is False


def test_parts_of_the_time_follow_each_other_and_add_up() -> None:
    parts = passing().time_spent
    assert [part.part for part in parts] == ["detection", "hold", "decision", "lease", "promotion", "settings", "dns", "client"]
    for before, after in pairwise(parts):
        assert after.start_seconds == pytest.approx(before.start_seconds + before.seconds, abs=0.003)
    last = max(function.recovered_seconds or 0 for function in passing().functions)
    assert sum(part.seconds for part in parts) == pytest.approx(last, abs=0.01)


def test_phases_stand_against_their_windows() -> None:
    first, second = passing().phases[:2]
    assert (first.planned_start_seconds, first.planned_end_seconds) == (0, 300)
    assert first.actual_start_seconds == pytest.approx(2.21, abs=0.05)
    assert second.actual_start_seconds == pytest.approx(2.25, abs=0.05), "the wait for people belongs to the phase"
    back = passing().failback.phases
    assert back[0].actual_start_seconds == pytest.approx(0.08, abs=0.05), "the way back counts from its own start"


def test_the_critical_path_is_what_the_end_hung_on() -> None:
    critical = [step.step for step in passing().steps if step.critical and step.run == "failover"]
    assert critical[:3] == ["assess", "approve", "fence"]
    assert critical[-1] == "confirm"
    assert {"alert", "tell-stakeholders", "promote-cache", "deploy"}.isdisjoint(critical)


def test_a_step_that_was_intended_and_never_finished_is_unknown() -> None:
    facts = story()
    records = chained(lines_of(record for record in facts.records if not _is(record, "step.finished", "deploy")))
    report = build(replace(facts, records=records))
    deploy = next(step for step in report.steps if step.step == "deploy")
    assert (deploy.outcome, deploy.verified, deploy.ended_seconds) == ("unknown", "unknown", None)
    assert report.verdict == "unknown"
    assert report.phases[3].actual_end_seconds is None


def test_a_step_repeated_after_a_crash_counts_its_attempts_and_its_last_outcome() -> None:
    facts = story()
    bodies: list[tuple[float, str, str, Mapping[str, Any]]] = []
    for record in facts.records:
        if _is(record, "step.finished", "promote-database"):
            body = dict(record.body)
            bodies.append((record.at_seconds - 0.2, "step.finished", INCIDENT, {**body, "outcome": "unknown", "verified": "unknown"}))
            intent = next(found.body for found in facts.records if _is(found, "step.intended", "promote-database"))
            bodies.append((record.at_seconds - 0.1, "step.intended", INCIDENT, {**intent, "attempt": 2}))
            bodies.append((record.at_seconds, "step.finished", INCIDENT, {**body, "attempt": 2, "outcome": "settled"}))
        else:
            bodies.append((record.at_seconds, record.kind, record.incident, record.body))
    report = build(replace(facts, records=chained(bodies)))
    step = next(step for step in report.steps if step.step == "promote-database")
    assert (step.attempts, step.outcome, step.verified) == (2, "settled", "yes")
    assert report.verdict == "pass"
    assert any("after 2 attempts" in finding.sentence for finding in report.findings)


def test_a_step_that_waits_for_a_person_is_unknown_until_the_person_says_and_skipping_fails() -> None:
    facts = story()

    def told(*answers: Mapping[str, Any]) -> Report:
        bodies: list[tuple[float, str, str, Mapping[str, Any]]] = []
        for record in facts.records:
            if not _is(record, "step.finished", "deploy"):
                bodies.append((record.at_seconds, record.kind, record.incident, record.body))
                continue
            named = {"run": "failover", "step": "deploy", "block": "application.deploy", "attempt": 1}
            bodies.append((record.at_seconds, "step.finished", INCIDENT, {**record.body, "outcome": "failed", "verified": "unknown"}))
            bodies.append(
                (record.at_seconds, "step.waiting", INCIDENT, {**named, "reason": "3 attempts failed", "needs": "technical-lead"})
            )
            answered = {**named, "detail": "ada chose", "facts": {}, "checked": "unknown", "verified": "unknown"}
            bodies += [(record.at_seconds + 0.1, "step.finished", INCIDENT, {**answered, **answer}) for answer in answers]
        return build(replace(facts, records=chained(bodies)))

    def deploy(report: Report) -> tuple[str, str, str]:
        step = next(step for step in report.steps if step.step == "deploy")
        return step.outcome, step.verified, report.verdict

    assert deploy(told()) == ("unknown", "unknown", "unknown")
    assert deploy(told({"outcome": "settled"})) == ("settled", "unknown", "unknown"), "a person's word is no proof of a provider's step"
    assert deploy(told({"outcome": "skipped"})) == ("skipped", "unknown", "fail")


def test_a_step_of_the_plan_that_never_ran_fails_a_finished_run() -> None:
    report = build(ReportStory(skipped=frozenset({"smoke-test"})).facts())
    assert report.verdict == "fail"
    assert any("smoke-test" in reason for reason in report.reasons)


def test_a_second_writer_fails() -> None:
    report = build(ReportStory(second_writer=True).facts())
    assert report.single_writer.violations
    assert report.verdict == "fail"


def test_a_write_lost_on_the_way_back_fails() -> None:
    report = build(ReportStory(lost_on_return=2).facts())
    assert report.failback.lost_acknowledged_writes == 2
    assert report.verdict == "fail"


def test_any_loss_fails_in_synchronous_mode_and_none_passes() -> None:
    assert build(ReportStory(replication="synchronous").facts()).verdict == "fail"
    assert build(ReportStory(replication="synchronous", lost={}).facts()).verdict == "pass"


def test_an_object_is_never_copied_synchronously_so_its_loss_is_counted_and_held_to_the_bound_but_breaks_no_promise_of_that_mode() -> None:
    report = build(ReportStory(replication="synchronous", lost={}, way_back=False).facts())
    assert (report.lost_writes.total, report.lost_writes.rows_and_keys) == (3, 0)
    assert {write.store for write in report.lost_writes.listed} == {"storage"}
    (rule,) = (rule for rule in report.rules if rule.name == "synchronous")
    assert (rule.result, "3 lost objects" in rule.sentence) == ("pass", True)
    voice = next(function for function in report.functions if function.id == "voice")
    assert voice.lost_acknowledged_writes == 3 and voice.rpo_actual_seconds, "the RPO counts them as in any mode"
    assert report.loss_bound.true_seconds == voice.rpo_actual_seconds, "and so does the bound"


def test_a_bucket_that_could_not_be_read_leaves_the_synchronous_promise_known_and_a_database_does_not() -> None:
    for store, result in (("storage", "pass"), ("database", "unknown")):
        facts = ReportStory(replication="synchronous", lost={}).facts()
        unread = tuple(
            StoreContents(one.store, one.region, one.read_seconds, None, "time-out") if one.store == store else one
            for one in facts.after_failover
        )
        report = build(replace(facts, after_failover=unread))
        assert report.lost_writes.total is None
        assert [rule.result for rule in report.rules if rule.name == "synchronous"] == [result], store


def test_scaled_down_targets_are_missed() -> None:
    facts = story()
    tight = {name: function.model_copy(update={"rto": 5.0}) for name, function in facts.plan.functions.items()}
    report = build(replace(facts, plan=facts.plan.model_copy(update={"functions": tight})))
    assert report.verdict == "fail"
    assert not any(function.met for function in report.functions)
    lax = {name: function.model_copy(update={"rpo": 1.0}) for name, function in facts.plan.functions.items()}
    report = build(replace(facts, plan=facts.plan.model_copy(update={"functions": lax})))
    assert [function.met for function in report.functions] == [False, False, True, True, True]


def test_a_store_that_could_not_be_read_leaves_the_loss_unknown() -> None:
    facts = story()
    unread = tuple(
        StoreContents(found.store, found.region, found.read_seconds, None, "time-out") if found.store == "database" else found
        for found in facts.after_failover
    )
    report = build(replace(facts, after_failover=unread))
    assert report.functions[0].lost_acknowledged_writes is None
    assert report.functions[0].met is None
    assert report.lost_writes.total is None
    assert report.single_writer.checked is False
    assert report.verdict == "unknown"


def test_without_what_dr_held_before_the_way_home_replaced_it_the_single_writer_is_unknown() -> None:
    facts = story()
    report = build(replace(facts, before_return=facts.before_return[:1]))
    assert (report.single_writer.checked, report.verdict) == (False, "unknown")
    assert report.single_writer.details == ("cache in eu-central-1 was not read before it was made a replica",)
    assert build(replace(ReportStory(way_back=False).facts(), before_return=())).single_writer.checked, "nothing was replaced there"


def test_what_dr_took_after_its_fence_is_told_by_its_own_clock_and_not_by_the_controllers() -> None:
    facts = story()
    fence = next(record for record in facts.records if record.kind == Kind.FENCE_CONFIRMED and record.body["run"] == "way-back")
    at_seconds = fence.body["at_seconds"]

    def told(written_seconds: float, **said: float | None) -> tuple[bool, int | None, tuple[str, ...]]:
        before = [replace(record, body={**record.body, **said}) if record is fence else record for record in facts.records]
        row = {"reservations/inside": StoredRecord(2, DR, written_seconds)}
        read = tuple(replace(one, records=row) if one.store == "database" else one for one in facts.before_return)
        single = build(replace(facts, records=chained(lines_of(before)), before_return=read)).single_writer
        return single.checked, single.violations, single.details

    early = at_seconds - 3.0  # of a promise, as the controller counts it
    assert told(at_seconds - 1.0, at_seconds=early, fenced_at_seconds=at_seconds) == (True, 0, ())
    assert told(at_seconds + SKEW_SECONDS / 2, fenced_at_seconds=at_seconds) == (True, 0, ()), "clocks are allowed that"
    checked, violations, (detail,) = told(at_seconds + 2 * SKEW_SECONDS, fenced_at_seconds=at_seconds)
    assert (checked, violations) == (True, 1)
    assert detail == f"reservations/inside was written in {DR} 0.200 s after its fence, under epoch 2"
    assert told(at_seconds + 2 * SKEW_SECONDS, fenced_at_seconds=None) == (True, 0, ()), "nobody knows the moment, so nothing is said of it"
    assert told(at_seconds + 2 * SKEW_SECONDS) == (True, 0, ()), "nor in a journal from before it was written down"


def test_without_the_old_side_the_single_writer_is_unknown() -> None:
    report = build(replace(story(), before_reprotect=()))
    assert (report.single_writer.checked, report.single_writer.violations) == (False, None)
    assert any("database in eu-west-1 was not read" in detail for detail in report.single_writer.details)
    assert report.verdict == "unknown"


def test_only_the_serving_regions_stores_are_compared_at_the_end() -> None:
    facts = story()
    empty_dr = tuple(StoreContents(store, DR, found.read_seconds, {}) for store, found in zip(("database",), facts.at_end, strict=False))
    assert build(replace(facts, at_end=(*facts.at_end, *empty_dr))).verdict == "pass"


def test_a_missing_ledger_is_unknown() -> None:
    facts = story()
    ledgers = {name: entries for name, entries in facts.ledgers.items() if name != "pms"}
    report = build(replace(facts, ledgers=ledgers))
    pms = report.functions[1]
    assert (pms.rto_actual_seconds, pms.acknowledged_writes, pms.met) == (None, None, None)
    assert report.verdict == "unknown"


def test_a_changed_journal_fails() -> None:
    facts = story()
    records = list(facts.records)
    records[10] = replace(records[10], body={**records[10].body, "extra": 1})
    report = build(replace(facts, records=records))
    assert report.journal.whole is False
    assert report.verdict == "fail"


def test_nothing_at_all_is_unknown_and_still_a_report() -> None:
    report = build(
        replace(story(), records=(), ledgers={}, after_failover=(), before_reprotect=(), at_end=(), incident="", started_seconds=IMPACT)
    )
    assert report.verdict == "unknown"
    assert report.steps == ()
    assert report.journal.records == 0
    assert len(report.functions) == 5


def test_what_the_gatherer_could_not_read_weighs_and_a_broken_promise_of_the_plan_does_not() -> None:
    torn = Finding(about="ledger of pms", result="unknown", sentence="The last line was not finished.")
    promise = Finding(about="plan", result="fail", sentence="Voice promises 15 min, the path takes 30 min.")
    assert build(replace(story(), findings=(promise,))).verdict == "pass"
    assert build(replace(story(), findings=(promise, torn))).verdict == "unknown"


def test_a_real_incident_has_no_cut_and_counts_from_the_first_failed_request() -> None:
    report = build(ReportStory(kind="incident").facts())
    assert report.exercise is False
    assert not report.title.startswith("EXERCISE")
    assert report.detected_after_seconds == pytest.approx(2.1, abs=0.3)
    assert report.verdict == "pass"


def test_probes_say_when_a_component_was_back() -> None:
    def look(at: float, name: str, subject: Subject, region: str = DR, **facts: Any) -> Observation:
        return Observation("outside", 1, IMPACT + at, region, subject, name, Seen.UP, 0.01, facts=facts)

    observations = (
        look(1.0, "database", Subject.POSTGRES, role="standby"),
        look(9.5, "database", Subject.POSTGRES, role="primary"),
        look(3.0, "database", Subject.POSTGRES, region=HOME, role="primary"),
        look(1.5, "loadbalancer", Subject.HTTP),
        look(10.2, "loadbalancer", Subject.HTTP),
    )
    components = {found.id: found for found in build(replace(story(), observations=observations)).components}
    assert components["database"].rto_actual_seconds == 9.5
    assert components["loadbalancer"].rto_actual_seconds == 10.2
    assert (components["database"].measured_by, components["cache"].measured_by) == ("probes", "steps")


def test_people_and_messages_are_named_with_what_they_saw() -> None:
    report = passing()
    assert [approval.person for approval in report.approvals] == ["Ada Exercise", "Ben Exercise"] * 2
    assert report.approvals[0].loss_bound_seconds == 4.4
    assert report.approvals[0].role == "Platform Lead"
    sent = {(message.rule, message.met) for message in report.notifications if message.sent_seconds is not None}
    assert sent == {("incident-alert", True), ("stakeholders", True)}
    assert len(report.notifications) == len({(row.rule, row.channel, row.recipient_ref) for row in report.notifications})


def test_messages_told_again_are_lines_of_their_own_and_people_have_names() -> None:
    first = passing().notifications[0]
    assert first.audience == ("exercise:on-call", "Ada Exercise")
    facts = story()
    head = [(record.at_seconds, record.kind, record.incident, record.body) for record in facts.records]
    due = {"message": "status", "audience": ["exercise-one"], "channels": ["slack"]}
    again = [
        (IMPACT + 60.0 + number, kind, INCIDENT, {**due, "key": f"{INCIDENT}/status/{number}", **body})
        for number in (1, 2)
        for kind, body in (
            ("notification.due", {"due_seconds": IMPACT + 900.0 * number}),
            ("notification.sent", {"channel": "slack", "recipient": "exercise-one"}),
        )
    ]
    report = build(replace(facts, records=chained([*head, *again])))
    assert [(message.message, message.due_seconds, message.met) for message in report.notifications[-2:]] == [
        ("status", 900.0, True),
        ("status", 1800.0, True),
    ]


def test_a_message_that_missed_a_channel_is_not_in_time() -> None:
    facts = story()
    records = [record for record in facts.records if not (record.kind == "notification.sent" and record.body["channel"] == "pagerduty")]
    early = build(replace(facts, records=chained(lines_of(records))))
    assert early.notifications[0].met is None, "not due yet when the report was written"
    late = build(replace(facts, records=chained(lines_of(records)), ended_seconds=IMPACT + 400.0))
    assert late.notifications[0].met is False
    assert any("message incident-alert" in finding.about for finding in late.findings)


def _is(record: Record, kind: str, step: str) -> bool:
    return record.kind == kind and record.body.get("step") == step
