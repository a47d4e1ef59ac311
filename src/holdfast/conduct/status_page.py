"""What the status page is to say of an incident, and when it must hear of it.

Rules: the state follows from the incident's alone: *investigating* while people find out and decide, *identified* while what was decided
is carried out, *monitoring* once service is back and watched, *resolved* when the incident is over. The page says nothing of an incident
before a message of the plan stands on it; from then on it hears of every state that begins, the end too, unless a message of the plan
tells it. It never goes back to a state that it said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.communications import DueMessage
from holdfast.communications.asking import DECISION_WITHIN_SECONDS
from holdfast.conduct.runs import FAILOVER
from holdfast.decision.deliveries import Attempts, Delivery
from holdfast.decision.replay import IncidentState
from holdfast.decision.table import ENDED, State
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import PageState, Words

CHANNEL = "status-page"
MESSAGE = "status-page"
"""How what the page hears by itself is called among messages; it is no message of the plan."""

_STATES: Mapping[State, PageState] = {
    State.DECLARED: "investigating",
    State.AWAITING_APPROVAL: "investigating",
    State.ACTIVATING: "identified",
    State.RECOVERED: "monitoring",
    State.REPROTECTING: "monitoring",
    State.PROTECTED: "monitoring",
    State.AWAITING_RETURN_APPROVAL: "monitoring",
    State.RETURNING: "monitoring",
    **dict.fromkeys(ENDED, "resolved"),
}
"""Of the others: where a person is waited for it is the state that waits, and turning back leaves service as it was."""

_WORDS: Mapping[PageState, Words] = {
    "investigating": Words("{functions}: impaired", "We are finding out what is wrong.\nHit since {started}: {functions}.\n"),
    "identified": Words(
        "{functions}: being put right",
        "We know what is wrong and are putting it right.\nHit since {started}: {functions}.\nExpected back: {expected_back}.\n",
    ),
    "monitoring": Words(
        "{functions}: back, and watched", "Everything was served again at {restored}, {duration} after it began. We go on watching it.\n"
    ),
    "resolved": Words("{functions}: over", "This is over. What was hit from {started} on: {functions}.\n"),
}


@dataclass(frozen=True, slots=True)
class PageWord:
    """A state that the page must hear of. `recipient`: for whom the page is, as the plan's message named it."""

    key: str
    state: PageState
    recipient: str
    words: Words
    due_seconds: float

    def due(self) -> dict[str, Any]:
        """The body of the record that it is owed."""
        return {
            "key": self.key,
            "message": MESSAGE,
            "audience": [self.recipient],
            "channels": [CHANNEL],
            "due_seconds": self.due_seconds,
            "reason": f"the status page told of the incident, and it is {self.state} now",
        }


def page_state(incident: IncidentState) -> PageState:
    """What the status page says of the incident where it stands now."""
    state = incident.stuck_in if incident.state in (State.NEEDS_PERSON, State.HALTED) and incident.stuck_in else incident.state
    if state in _STATES:
        return _STATES[state]
    return "monitoring" if incident.runs_finished.get(FAILOVER) == "succeeded" else "identified"


def page_word(incident: IncidentState, told_now: Iterable[DueMessage], begun: Mapping[Delivery, Attempts]) -> PageWord | None:
    """What the page must hear beside the plan's messages; None when it says what is so, or a message of the plan is about to say it."""
    page, state = incident.page, page_state(incident)
    if page.recipient is None or state in page.states:
        return None
    shown = ((message.key, CHANNEL, message.places[CHANNEL].identifier) for message in told_now if CHANNEL in message.places)
    if any(not begun.get(delivery, Attempts()).is_over for delivery in shown):
        return None
    moved = next((record.at_seconds for record in reversed(incident.course) if record.kind == Kind.TRANSITION), incident.opened_seconds)
    due = max(moved, page.since_seconds) + incident.clock.wall_seconds(DECISION_WITHIN_SECONDS)
    return PageWord(f"{incident.incident}/{MESSAGE}/{state}", state, page.recipient, _WORDS[state], due)
