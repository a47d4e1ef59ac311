"""Who answered when they were called: person by person, with the roles beside it, against what the plan asks of the team."""

from holdfast.journal.kinds import Kind
from holdfast.plan.model import Criterion, Plan
from holdfast.report.answers import people, slas
from holdfast.report.history import History
from holdfast.report.telling import span_of
from holdfast.report.told import PeopleResult, PersonAnswer, SlaResult
from unit.conduct_on_paper import LOADED, Paper
from unit.test_conduct_calling import calling_plan

COMMANDER, BACKUP, OTHER = "exercise-three", "exercise-one", "exercise-two"
"""First and second stand-in for the commander, and somebody for other roles. The backup is the technical lead's first."""
MEASURE = LOADED.plan.criteria["team-response"]


def lost(plan: Plan | None = None) -> Paper:
    paper = Paper(plan=plan or calling_plan())
    paper.lose_region()
    return paper


def judged(paper: Paper) -> PeopleResult:
    history = History(paper.incident.incident, paper.incident.records)
    return people(history, paper.plan, span_of(history, paper.incident.impact_seconds, paper.now))


def measured(paper: Paper) -> SlaResult:
    (found,) = (sla for sla in slas(paper.plan, (), judged(paper)) if sla.name == MEASURE.name)
    return found


def by_person(paper: Paper) -> dict[str, PersonAnswer]:
    return {person.person_ref: person for person in judged(paper).called}


def test_a_primary_who_never_answers_is_silent_although_the_backup_answered_for_the_role() -> None:
    paper = lost()
    paper.wait(60)
    paper.command("ack", OTHER)
    paper.wait(240)
    paper.command("ack", BACKUP)
    found = judged(paper)
    assert {role.person_ref for role in found.roles} == {BACKUP, OTHER}
    assert (found.roles_within_sla, found.acknowledged_within_sla) == (True, None), "its quarter of an hour is not over"
    paper.wait(3600)
    found, said = judged(paper), measured(paper)
    assert (found.roles_within_sla, found.acknowledged_within_sla) == (True, False)
    silent = by_person(paper)[COMMANDER]
    assert (silent.answered_seconds, silent.needed, silent.within, silent.level) == (None, True, False, "primary")
    assert silent.roles == ("Incident Commander",)
    assert said.met is False
    assert said.actual == (f"1 of 3 people silent ({paper.plan.people[COMMANDER].name}); every role was answered for, the last after 5 min")


def test_everybody_who_answers_in_time_meets_it_and_one_who_is_late_does_not() -> None:
    paper = lost()
    paper.wait(120)
    for person in (OTHER, BACKUP, COMMANDER):
        paper.command("ack", person)
    assert judged(paper).acknowledged_within_sla is True
    assert measured(paper).actual == "3 of 3 people answered, the last after 2 min; every role was answered for, the last after 2 min"
    late = lost()
    for person in (OTHER, BACKUP):
        late.command("ack", person)
    late.wait(16 * 60)
    late.command("ack", COMMANDER)
    assert by_person(late)[COMMANDER].within is False
    assert (judged(late).acknowledged_within_sla, measured(late).met) == (False, False)


def test_a_backup_need_not_answer_where_the_primary_did_after_all() -> None:
    paper = lost(_with_a_backup_of_its_own())
    for person in (OTHER, "exercise-four"):
        paper.command("ack", person)
    paper.wait(300)
    assert by_person(paper)[BACKUP].level == "backup"
    paper.command("ack", COMMANDER)
    paper.wait(3600)
    backup = by_person(paper)[BACKUP]
    assert (backup.answered_seconds, backup.needed, backup.within) == (None, False, None)
    assert judged(paper).acknowledged_within_sla is True


def test_a_backup_who_is_silent_too_is_missed_as_the_primary_is() -> None:
    paper = lost(_with_a_backup_of_its_own())
    for person in (OTHER, "exercise-four"):
        paper.command("ack", person)
    paper.wait(300)
    paper.wait(3600)
    assert {name for name, person in by_person(paper).items() if person.within is False} == {COMMANDER, BACKUP}
    assert measured(paper).actual.startswith("2 of 4 people silent")
    assert measured(paper).actual.endswith("nobody for Incident Commander")


def test_approving_is_answering_and_nobody_called_is_no_verdict() -> None:
    paper = lost()
    paper.approve(BACKUP)
    assert by_person(paper)[BACKUP].within is True
    quiet = Paper(plan=calling_plan().model_copy(update={"escalation": {}}))
    quiet.lose_region()
    assert Kind.ESCALATED not in quiet.kinds()
    assert (judged(quiet).called, judged(quiet).acknowledged_within_sla) == ((), None)


def test_without_a_time_of_the_plans_own_the_matrix_says_how_soon() -> None:
    plan = calling_plan()
    criteria: dict[str, Criterion] = {name: one for name, one in plan.criteria.items() if one is not MEASURE}
    paper = lost(plan.model_copy(update={"criteria": criteria}))
    assert judged(paper).acknowledge_target_seconds == 300.0


def _with_a_backup_of_its_own() -> Plan:
    """The commander's second stand-in is nobody's first."""
    plan = calling_plan()
    others = {
        name: role.model_copy(update={"stand_ins": ("exercise-four",)})
        for name, role in plan.roles.items()
        if name != "incident-commander" and role.stand_ins[:1] == (BACKUP,)
    }
    return plan.model_copy(update={"roles": {**plan.roles, **others}})
