"""Who decided, and what they saw when they did."""

from holdfast.communications.places import TOGETHER, said_name, stood_for
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from holdfast.report.history import History, number
from holdfast.report.model import ApprovalResult
from holdfast.report.wording import moment


def person_name(plan: Plan, person: str) -> str:
    """A person as people know them."""
    return plan.people[person].name if person in plan.people else person


def recipient_name(plan: Plan, recipient: str) -> str:
    """A recipient as people know it: a person by name, and what stands for many at one place by the names of those."""
    return ", ".join(said_name(plan, one) for one in stood_for(recipient)) if TOGETHER in recipient else person_name(plan, recipient)


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
