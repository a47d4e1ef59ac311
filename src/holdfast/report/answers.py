"""How soon people answered and decided, and what the plan's own measures say about that and about messages."""

from collections.abc import Iterator, Sequence

from holdfast.communications.escalation import row_of
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Criterion, Plan, Role
from holdfast.plan.values import spoken_duration
from holdfast.report.history import History
from holdfast.report.people import person_name
from holdfast.report.telling import Span
from holdfast.report.told import CallResult, NotificationResult, PeopleResult, PersonAnswer, RoleAnswer, SlaResult
from holdfast.report.wording import UNKNOWN, count, duration, listing

_BY_NAME = {"team-response": "response", "decision-speed": "decision", "communication-timeliness": "communication"}
"""How the document's own measures are usually called, where nobody said what they measure."""


def criterion_of(plan: Plan, measures: str) -> Criterion | None:
    """The plan's criterion for one of Holdfast's figures about people."""
    for name, criterion in plan.criteria.items():
        if criterion.measures == measures or (criterion.measures is None and _BY_NAME.get(name) == measures):
            return criterion
    return None


def _seconds(plan: Plan, measures: str) -> float | None:
    criterion = criterion_of(plan, measures)
    target = None if criterion is None else criterion.target
    return target.number if target is not None and target.unit == "s" else None


def calls(history: History, plan: Plan, span: Span) -> tuple[CallResult, ...]:
    """Every rung of the ladder that was climbed."""
    return tuple(_call(history, plan, span, record) for record in history.of(Kind.ESCALATED))


def _call(history: History, plan: Plan, span: Span, record: Record) -> CallResult:
    body = record.body
    called = tuple(dict.fromkeys(str(recipient) for _, recipient, _ in body["calls"]))
    answer = next(
        (found for found in history.of(Kind.ACKNOWLEDGED) if found.sequence > record.sequence and found.body.get("person") in called),
        None,
    )
    return CallResult(
        number=body["number"],
        round=body["round"],
        level=str(body["level"]),
        roles=tuple(plan.roles[role].name if role in plan.roles else role for role in body["roles"]),
        recipients=called,
        channels=tuple(dict.fromkeys(str(channel) for channel, _, _ in body["calls"])),
        called_seconds=span.plan(record.at_seconds),
        answer_by_seconds=span.plan(float(body["answer_by_seconds"])),
        answered_seconds=None if answer is None else span.plan(answer.at_seconds),
        answered_by=None if answer is None else person_name(plan, str(answer.body["person"])),
        starts_over=body.get("starts_over") is True,
        reason=str(body["reason"]),
    )


def people(history: History, plan: Plan, span: Span) -> PeopleResult:
    """Answers person by person and role by role, and how long the decision took."""
    target = _seconds(plan, "response") or _row_seconds(history, plan)
    called, roles = tuple(_called(history, plan, span, target)), tuple(_roles(history, plan, span, target))
    asked = next((record for record in history.of(Kind.PROPOSED) if record.body.get("run") == "failover"), None)
    decided = next((record for record in history.of(Kind.DECIDED) if record.body.get("run") == "failover"), None)
    took = None if asked is None or decided is None else span.clock.plan_seconds(decided.at_seconds - asked.at_seconds)
    allowed = _seconds(plan, "decision")
    return PeopleResult(
        acknowledged_within_sla=_all_within([answer.within for answer in called if answer.needed]),
        acknowledge_target_seconds=target,
        called=called,
        roles=roles,
        roles_within_sla=_all_within([answer.within for answer in roles]),
        decision_seconds=took,
        decision_target_seconds=allowed,
        decided_within_sla=None if took is None or allowed is None else took <= allowed,
    )


def _row_seconds(history: History, plan: Plan) -> float | None:
    """The escalation matrix' answer time, where the plan names no other."""
    call = history.first(Kind.ESCALATED)
    row = None if call is None else row_of(plan, call.body.get("row", call.body["severity"]))
    return None if row is None else row.answer_within


def _all_within(each: Sequence[bool | None]) -> bool | None:
    """Whether all were in time: one that was not is enough to say no, and nobody knows where one is open or there is none."""
    return False if False in each else True if each and None not in each else None


def _called(history: History, plan: Plan, span: Span, target: float | None) -> Iterator[PersonAnswer]:
    """Everybody of the plan who was called, by the first call to each."""
    first: dict[str, Record] = {}
    for record in history.of(Kind.ESCALATED):
        for _, recipient, _ in record.body["calls"]:
            if recipient in plan.people:
                first.setdefault(str(recipient), record)
    given = tuple(history.of(Kind.ACKNOWLEDGED, Kind.APPROVED))
    for person, call in first.items():
        answers = [record for record in given if record.body.get("person") == person]
        # Who had said so before anybody called it has answered, too.
        answer = next((record for record in answers if record.sequence > call.sequence), next(iter(answers), None))
        waited = max(0.0, span.clock.plan_seconds((span.end_seconds if answer is None else answer.at_seconds) - call.at_seconds))
        roles = _called_for(plan, call, person)
        first_asked = call.body["rung"] == "primary"
        needed = answer is not None or first_asked or not _answered_by_others(history, span, call, roles, target)
        too_late = target is not None and waited > target
        yield PersonAnswer(
            person_ref=person,
            name=person_name(plan, person),
            roles=tuple(plan.roles[role].name if role in plan.roles else role for role in roles),
            level=str(call.body["level"]),
            called_seconds=span.plan(call.at_seconds),
            answered_seconds=None if answer is None else span.plan(answer.at_seconds),
            way=None if answer is None else str(answer.body.get("way", "approval")),
            needed=needed,
            within=None if target is None or not needed else False if too_late else True if answer is not None else None,
        )


def _called_for(plan: Plan, call: Record, person: str) -> tuple[str, ...]:
    """Roles that a call asked this person about: at a level all that were open, else those that it has a part in."""
    roles = tuple(str(role) for role in call.body["roles"])
    its_own = tuple(role for role in roles if role in plan.roles and person in _part_of(plan, plan.roles[role]))
    return roles if call.body["rung"] == "level" else its_own or roles


def _part_of(plan: Plan, role: Role) -> frozenset[str | None]:
    turns = plan.rotations[role.rotation].people if role.rotation in plan.rotations else ()
    return frozenset((role.primary, role.backup, *role.stand_ins, *turns))


def _answered_by_others(history: History, span: Span, call: Record, roles: Sequence[str], target: float | None) -> bool:
    """Whether every role that a later rung asked somebody about had its answer before that one had to give one."""
    until = span.end_seconds if target is None else call.at_seconds + span.clock.wall_seconds(target)
    given = (record.body["roles"] for record in history.of(Kind.ACKNOWLEDGED) if record.at_seconds <= until)
    return set(roles) <= {str(role) for answered in given for role in answered}


def _roles(history: History, plan: Plan, span: Span, target: float | None) -> Iterator[RoleAnswer]:
    first_called: dict[str, Record] = {}
    for record in history.of(Kind.ESCALATED):
        for role in record.body["roles"]:
            first_called.setdefault(str(role), record)
    acknowledged = list(history.of(Kind.ACKNOWLEDGED))
    for role, call in first_called.items():
        answer = next((record for record in acknowledged if role in record.body["roles"] and record.sequence > call.sequence), None)
        waited = span.clock.plan_seconds((span.end_seconds if answer is None else answer.at_seconds) - call.at_seconds)
        within = None if target is None else waited <= target if answer is not None else False if waited > target else None
        yield RoleAnswer(
            role=plan.roles[role].name if role in plan.roles else role,
            person_ref=None if answer is None else str(answer.body["person"]),
            called_seconds=span.plan(call.at_seconds),
            answered_seconds=None if answer is None else span.plan(answer.at_seconds),
            way=None if answer is None else str(answer.body["way"]),
            within=within,
        )


def slas(plan: Plan, told: Sequence[NotificationResult], answers: PeopleResult) -> tuple[SlaResult, ...]:
    """The plan's measures of people and messages: what it asks for, and what came out."""
    return tuple(_slas(plan, told, answers))


def _slas(plan: Plan, told: Sequence[NotificationResult], answers: PeopleResult) -> Iterator[SlaResult]:
    due = [row for row in told if row.met is not None]
    if due:
        in_time = sum(row.met is True for row in due)
        criterion = criterion_of(plan, "communication")
        target = None if criterion is None else criterion.target
        share = 100.0 * in_time / len(due)
        met = in_time == len(due) if target is None or target.unit != "%" else share >= target.number
        name = "Messages in time" if criterion is None else criterion.name
        yield SlaResult(name=name, target="all" if target is None else str(target), actual=f"{in_time} of {len(due)}", met=met)
    if answers.called and answers.acknowledge_target_seconds is not None:
        criterion = criterion_of(plan, "response")
        name = "Everybody who is called answers" if criterion is None else criterion.name
        target_text = f"within {spoken_duration(answers.acknowledge_target_seconds)}"
        actual = f"{_people_in_words(answers)}; {_roles_in_words(answers)}"
        yield SlaResult(name=name, target=target_text, actual=actual, met=answers.acknowledged_within_sla)
    if answers.decision_seconds is not None and answers.decision_target_seconds is not None:
        criterion = criterion_of(plan, "decision")
        name = "The decision" if criterion is None else criterion.name
        target_text = f"within {spoken_duration(answers.decision_target_seconds)}"
        yield SlaResult(name=name, target=target_text, actual=duration(answers.decision_seconds), met=answers.decided_within_sla)


def _people_in_words(answers: PeopleResult) -> str:
    asked = [person for person in answers.called if person.needed]
    silent = [person.name for person in asked if person.answered_seconds is None]
    if silent:
        return f"{len(silent)} of {count(len(asked), 'person', 'people')} silent ({listing(silent)})"
    return f"{len(asked)} of {count(len(asked), 'person', 'people')} answered, the last after {_longest(asked)}"


def _roles_in_words(answers: PeopleResult) -> str:
    """What stands beside the people: a role may have its answer from a backup."""
    silent = [role.role for role in answers.roles if role.answered_seconds is None]
    if silent:
        return f"nobody for {listing(silent)}"
    return f"every role was answered for, the last after {_longest(answers.roles)}"


def _longest(answers: Sequence[PersonAnswer] | Sequence[RoleAnswer]) -> str:
    """How long the slowest of those who answered took."""
    took = [answer.answered_seconds - answer.called_seconds for answer in answers if answer.answered_seconds is not None]
    return duration(max(0.0, *took)) if took else UNKNOWN
