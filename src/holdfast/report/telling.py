"""Who was told what, when, over what: due against sent against delivered against acknowledged, row by row, from the journal alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from holdfast.communications.places import stood_for
from holdfast.communications.recipients import EXERCISE_MAILBOX
from holdfast.decision.references import FIRST_UNKNOWN
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Plan
from holdfast.plan.plan_clock import AS_ON_THE_WALL, PlanClock
from holdfast.report.history import History, number
from holdfast.report.people import person_name, recipient_name
from holdfast.report.told import NotificationResult

_A_MOMENT_SECONDS = 1_000_000_000.0
"""Above it, a number of seconds is a moment since 1970; below it, a length of time from impact."""
_CALL = "call"
_MOST_NAMED = 20
"""A mailing to more than that names in each row only whom the row is about."""


@dataclass(frozen=True, slots=True)
class Span:
    """From which moment the report counts, on which clock, and until when it knows anything."""

    impact_seconds: float
    end_seconds: float
    clock: PlanClock = AS_ON_THE_WALL
    arrived: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Key of a hand-over → when it was seen at the far end."""

    def plan(self, at_seconds: float) -> float:
        """A wall moment, counted from the impact on the plan's clock."""
        return self.clock.plan_seconds(at_seconds - self.impact_seconds)


def span_of(
    history: History, impact_seconds: float, end_seconds: float, arrived: Mapping[str, Sequence[float]] = MappingProxyType({})
) -> Span:
    """On the clock that the incident was opened with. A clock that runs faster than the wall runs from the moment that the journal names,
    or it would show what was not due."""
    opened = history.opened()
    body = opened.body if opened is not None else {}
    scale, impact = number(body.get("scale")) or 1.0, number(body.get("impact_seconds"))
    return Span(impact_seconds if scale == 1 or impact is None else impact, end_seconds, PlanClock(scale), arrived)


@dataclass(slots=True)
class Attempts:
    """What was recorded of one delivery."""

    sent: Record | None = None
    delivered_seconds: float | None = None
    failures: list[str] = field(default_factory=list)
    possible: int = 0
    """How many copies of it may have arrived, as far as anybody knows, without the one that is under way."""
    intended: bool = False
    """One is under way, or was interrupted."""
    repeats: bool = False
    second_way: str | None = None
    """What it went by instead of the channel's first way; another channel of the plan is named before it."""
    given_up: bool = False
    """Nothing is tried any more."""

    @property
    def may_be_twice(self) -> bool:
        """Whether it was handed over again without knowing that it hadn't been, told in the end or not."""
        return self.repeats and self.possible + self.intended > 1


Index = Mapping[str, Mapping[tuple[str, str], Attempts]]


def notifications(history: History, plan: Plan, span: Span) -> tuple[NotificationResult, ...]:
    """Every delivery that fell due, with whether it was in time. A message told again has rows of its own."""
    index, answered = index_of(history), answered_at(history)
    return tuple(_rows(history, plan, span, index, answered))


def _rows(history: History, plan: Plan, span: Span, index: Index, answered: Mapping[str, Sequence[float]]) -> Iterator[NotificationResult]:
    for due in history.of(Kind.NOTIFICATION_DUE):
        body = due.body
        said = number(body.get("due_seconds"))
        due_at = due.at_seconds if said is None else said if said > _A_MOMENT_SECONDS else span.impact_seconds + said
        known = index.get(key_of(due), {})
        # Whoever had decided before the question reached them is not asked any more: it was owed to those whom it was handed over to.
        reached = body.get("reached", {})  # channels with one place for all; over the others everybody is told
        everybody = [(channel, who) for channel in body.get("channels", ()) for who in reached.get(channel, body.get("audience", ()))]
        pairs = everybody if body.get("deliveries") is None else ()
        wanted = [
            (str(channel), str(recipient))
            for channel, recipient in pairs
            if ":" not in str(recipient) or str(recipient).startswith(EXERCISE_MAILBOX)
        ]
        for channel, recipient in dict.fromkeys([*wanted, *known]):
            attempts = known.get((channel, recipient), Attempts())
            yield _row(plan, span, due, channel, recipient, due_at, attempts, answered)
        for audience in body.get("unknown", ()):
            yield _nobody_knows(span, due, due_at, str(audience))
    for call in history.of(Kind.ESCALATED):
        known = index.get(call.body["key"], {})
        named = ((str(channel), str(recipient)) for channel, recipient, _ in call.body["calls"])
        for channel, recipient in dict.fromkeys([*named, *known]):
            attempts = known.get((channel, recipient), Attempts())
            if attempts.intended or attempts.sent is not None or attempts.failures:  # one that was reported as lost was begun, too
                by = float(call.body["answer_by_seconds"])
                yield _row(plan, span, call, channel, recipient, by, attempts, answered)


def _row(
    plan: Plan,
    span: Span,
    due: Record,
    channel: str,
    recipient: str,
    due_at: float,
    attempts: Attempts,
    answered: Mapping[str, Sequence[float]],
) -> NotificationResult:
    message = _CALL if due.kind == Kind.ESCALATED else str(due.body.get("message", ""))
    told = [str(name) for name in due.body.get("audience", ())]
    over = tuple(map(str, due.body.get("channels", ()))) or (channel,)
    sent = attempts.sent
    met: bool | None = sent.at_seconds <= due_at if sent is not None else False if span.end_seconds > due_at else None
    name = recipient_name(plan, recipient)
    seen = next(iter(span.arrived.get(f"{key_of(due)}/{channel}/{recipient}", ())), None)
    moments = sorted(at for one in who_answers(due.body, recipient) for at in answered.get(one, ()))
    acknowledged = next((at for at in moments if sent is not None and at >= sent.at_seconds), None)
    return NotificationResult(
        message=message,
        rule=message,
        audience=tuple(person_name(plan, one) for one in told) if 0 < len(told) <= _MOST_NAMED else (name,),
        channels=over,
        channel=channel,
        recipient_ref=recipient,
        due_seconds=span.plan(due_at),
        sent_seconds=None if sent is None else span.plan(sent.at_seconds),
        delivered_seconds=None if attempts.delivered_seconds is None else span.plan(attempts.delivered_seconds),
        arrived_seconds=None if seen is None else span.plan(seen),
        acknowledged_seconds=None if acknowledged is None else span.plan(acknowledged),
        second_way=None if sent is None else attempts.second_way,
        met=met,
        recipients=() if sent is None else (name,),
        failures=tuple(attempts.failures),
        may_be_twice=attempts.may_be_twice,
        reason=str(due.body.get("reason", "")),
    )


def _nobody_knows(span: Span, due: Record, due_at: float, audience: str) -> NotificationResult:
    """An audience whose members nobody knew: it is told, never left out."""
    return NotificationResult(
        message=str(due.body.get("message", "")),
        rule=str(due.body.get("message", "")),
        audience=(audience,),
        channels=tuple(map(str, due.body.get("channels", ()))),
        recipient_ref=audience,
        due_seconds=span.plan(due_at),
        sent_seconds=None,
        met=False if span.end_seconds > due_at else None,
        failures=(f"nobody knows who is in {audience}: its directory did not answer, and there is no copy of it",),
    )


def who_answers(body: Mapping[str, Any], recipient: str) -> tuple[str, ...]:
    """Whose answer counts for a hand-over: the recipient's own, and at one place for all that of anybody whom it is for."""
    told = tuple(map(str, body.get("audience", ())))
    at_a_place = any(recipient in people for people in body.get("reached", {}).values()) and recipient not in told
    return told if at_a_place else stood_for(recipient)


def key_of(record: Record) -> str:
    """What ties a hand-over to what was due: its key, or its name where the journal holds no key."""
    key = record.body.get("key")
    return str(record.body.get("message", "")) if key is None else str(key)


def index_of(history: History) -> Index:
    """Key → (channel, recipient) → what was recorded of that delivery."""
    found: defaultdict[str, defaultdict[tuple[str, str], Attempts]] = defaultdict(lambda: defaultdict(Attempts))
    kinds = (
        Kind.NOTIFICATION_INTENDED,
        Kind.NOTIFICATION_SENT,
        Kind.NOTIFICATION_FAILED,
        Kind.NOTIFICATION_UNKNOWN,
        Kind.NOTIFICATION_DELIVERED,
        Kind.NOTIFICATION_GIVEN_UP,
    )
    for record in history.of(*kinds):
        channel, recipient = str(record.body.get("channel", "")), str(record.body.get("recipient", ""))
        _take(found[key_of(record)][channel, recipient], record, f"{channel} to {recipient}")
    return found


def _take(attempts: Attempts, record: Record, where: str) -> None:
    body = record.body
    if record.kind == Kind.NOTIFICATION_INTENDED:
        attempts.possible += attempts.intended  # the one before was interrupted
        attempts.intended = True
    elif record.kind == Kind.NOTIFICATION_DELIVERED:
        at = number(body.get("at_seconds"))
        attempts.delivered_seconds = record.at_seconds if at is None else at
    elif record.kind == Kind.NOTIFICATION_SENT:
        attempts.sent, attempts.intended = attempts.sent or record, False
        attempts.second_way = str(body["second_way"]) if body.get("second_way") else attempts.second_way
        attempts.repeats = attempts.repeats or body.get("repeats") is True
        attempts.possible += 1 + str(body.get("reference", "")).endswith(FIRST_UNKNOWN)
    else:
        _take_failure(attempts, record, where)


def _take_failure(attempts: Attempts, record: Record, where: str) -> None:
    body = record.body
    attempts.intended = False
    attempts.repeats = attempts.repeats or body.get("repeats") is True
    attempts.failures.append(f"{where}: {body.get('reason')}")
    if record.kind == Kind.NOTIFICATION_GIVEN_UP:
        attempts.given_up = True
    elif record.kind == Kind.NOTIFICATION_UNKNOWN:
        # What was sent and whose receipt is missing counts already; it is one that may not have arrived.
        attempts.possible += 0 if attempts.sent is not None else int(body.get("ways", 1))
    elif attempts.sent is not None:  # what was sent and then reported as lost was not told
        attempts.sent, attempts.possible = None, attempts.possible - 1


def answered_at(history: History) -> Mapping[str, Sequence[float]]:
    """Person → when it acknowledged, in order. Approving is answering."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for record in history.of(Kind.ACKNOWLEDGED, Kind.APPROVED):
        found[str(record.body.get("person"))].append(record.at_seconds)
    return found
