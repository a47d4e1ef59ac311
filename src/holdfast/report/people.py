"""Who was told, who decided, and what they saw when they did."""

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Plan
from holdfast.report.history import History, number
from holdfast.report.model import ApprovalResult, NotificationResult
from holdfast.report.wording import moment

_A_MOMENT_SECONDS = 1_000_000_000.0
"""Above it, a number of seconds is a moment since 1970; below it, a length of time from impact."""


def person_name(plan: Plan, person: str) -> str:
    """A person as people know them."""
    return plan.people[person].name if person in plan.people else person


def approvals(history: History, plan: Plan, impact_seconds: float) -> tuple[ApprovalResult, ...]:
    """Every answer to every proposal, with the bound on loss that the proposal showed."""
    proposals = {str(record.body.get("proposal")): record for record in history.of(Kind.PROPOSED)}
    results = []
    for record in history.of(Kind.APPROVED, Kind.APPROVAL_REFUSED):
        body = record.body
        proposal = proposals.get(str(body.get("proposal")))
        shown = proposal.body if proposal else {}
        role = str(body.get("role", ""))
        results.append(
            ApprovalResult(
                person=person_name(plan, str(body.get("person", ""))),
                role=plan.roles[role].name if role in plan.roles else role,
                answer="approved" if record.kind == Kind.APPROVED else "refused",
                at=moment(record.at_seconds, plan.timezone),
                seconds=record.at_seconds - impact_seconds,
                action=str(shown.get("action", "")),
                loss_bound_seconds=number(shown.get("loss_bound_seconds")),
                estimated_writes=number(shown.get("estimated_writes")),
                accepts_loss=body.get("accepts_loss") is True,
                proposal=str(body.get("proposal", "")),
                hash=str(body.get("hash", "")),
                detail=str(body.get("reason", "")),
            )
        )
    return tuple(results)


def notifications(history: History, plan: Plan, impact_seconds: float, now_seconds: float) -> tuple[NotificationResult, ...]:
    """Every message that fell due, and whether it went out over every channel in time. A message told again is a line of its own."""
    due = list(history.of(Kind.NOTIFICATION_DUE))
    results = []
    for index, record in enumerate(due):
        again = next((later.sequence for later in due[index + 1 :] if _same(later, record)), None)
        results.append(_notification(history, plan, record, again, impact_seconds, now_seconds))
    return tuple(results)


def _same(record: Record, due: Record) -> bool:
    """Whether a record is about the message that fell due: by its key, or by its name where the journal holds no key."""
    field = "key" if due.body.get("key") is not None else "message"
    return record.body.get(field) == due.body.get(field)


def _notification(
    history: History, plan: Plan, due: Record, until_sequence: int | None, impact_seconds: float, now_seconds: float
) -> NotificationResult:
    def mine(kind: Kind) -> list[Record]:
        return [
            record
            for record in history.of(kind)
            if _same(record, due) and record.sequence > due.sequence and (until_sequence is None or record.sequence < until_sequence)
        ]

    sent, failed = mine(Kind.NOTIFICATION_SENT), mine(Kind.NOTIFICATION_FAILED)
    said = number(due.body.get("due_seconds"))
    due_at = due.at_seconds if said is None else said if said > _A_MOMENT_SECONDS else impact_seconds + said
    channels = tuple(str(channel) for channel in due.body.get("channels", ()))
    first_by_channel: dict[str, float] = {}
    for record in sent:
        first_by_channel.setdefault(str(record.body.get("channel")), record.at_seconds)
    complete = set(channels) <= set(first_by_channel) and bool(first_by_channel)
    last_first = max(first_by_channel.values(), default=None)
    met: bool | None = last_first is not None and last_first <= due_at if complete else False if now_seconds > due_at else None
    return NotificationResult(
        message=str(due.body.get("message", "")),
        audience=tuple(person_name(plan, str(audience)) for audience in due.body.get("audience", ())),
        channels=channels,
        due_seconds=due_at - impact_seconds,
        sent_seconds=last_first - impact_seconds if complete and last_first is not None else None,
        met=met,
        recipients=tuple(dict.fromkeys(person_name(plan, str(record.body.get("recipient", ""))) for record in sent)),
        failures=tuple(f"{record.body.get('channel')} to {record.body.get('recipient')}: {record.body.get('reason')}" for record in failed),
    )
