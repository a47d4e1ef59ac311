"""How soon people answered and decided, and what the plan's own measures say about that and about messages."""

from collections.abc import Iterator, Sequence

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Criterion, Plan
from holdfast.plan.values import spoken_duration
from holdfast.report.history import History
from holdfast.report.people import person_name
from holdfast.report.telling import Span
from holdfast.report.told import CallResult, NotificationResult, PeopleResult, RoleAnswer, SlaResult
from holdfast.report.wording import UNKNOWN, duration

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
    """Answers role by role, and how long the decision took."""
    target = _seconds(plan, "response") or _row_seconds(history, plan)
    roles = tuple(_roles(history, plan, span, target))
    met = [answer.within for answer in roles]
    asked = next((record for record in history.of(Kind.PROPOSED) if record.body.get("run") == "failover"), None)
    decided = next((record for record in history.of(Kind.DECIDED) if record.body.get("run") == "failover"), None)
    took = None if asked is None or decided is None else span.clock.plan_seconds(decided.at_seconds - asked.at_seconds)
    allowed = _seconds(plan, "decision")
    return PeopleResult(
        acknowledged_within_sla=None if not met or target is None else False if False in met else None if None in met else True,
        acknowledge_target_seconds=target,
        roles=roles,
        decision_seconds=took,
        decision_target_seconds=allowed,
        decided_within_sla=None if took is None or allowed is None else took <= allowed,
    )


def _row_seconds(history: History, plan: Plan) -> float | None:
    """The escalation matrix' answer time, where the plan names no other."""
    call = history.first(Kind.ESCALATED)
    row = None if call is None else next((row for name, row in plan.escalation.items() if name == call.body["severity"]), None)
    return None if row is None else row.answer_within


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
    if answers.roles and answers.acknowledge_target_seconds is not None:
        criterion = criterion_of(plan, "response")
        slowest = [None if role.answered_seconds is None else role.answered_seconds - role.called_seconds for role in answers.roles]
        longest = UNKNOWN if None in slowest else duration(max(seconds for seconds in slowest if seconds is not None))
        silent = sum(seconds is None for seconds in slowest)
        actual = f"{silent} of {len(slowest)} roles unanswered" if silent else f"the last after {longest}"
        name = "Every role answers" if criterion is None else criterion.name
        target_text = f"within {spoken_duration(answers.acknowledge_target_seconds)}"
        yield SlaResult(name=name, target=target_text, actual=actual, met=answers.acknowledged_within_sla)
    if answers.decision_seconds is not None and answers.decision_target_seconds is not None:
        criterion = criterion_of(plan, "decision")
        name = "The decision" if criterion is None else criterion.name
        target_text = f"within {spoken_duration(answers.decision_target_seconds)}"
        yield SlaResult(name=name, target=target_text, actual=duration(answers.decision_seconds), met=answers.decided_within_sla)
