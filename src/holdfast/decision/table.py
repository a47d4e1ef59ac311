"""The incident's states and transitions, as one table. The diagram in the docs is drawn from it.

Nothing here decides when an event happens (see `policy`) or does anything about it (see the controller).
"""

from enum import StrEnum


class State(StrEnum):
    """Where an incident stands."""

    DECLARED = "declared"
    """Opened from a trigger or a command; facts are being gathered, people called."""
    AWAITING_APPROVAL = "awaiting-approval"
    ACTIVATING = "activating"
    """Approved: the run changes the world."""
    NEEDS_PERSON = "needs-person"
    """A step can't go on by itself; a named role must choose."""
    RECOVERED = "recovered"
    """Every function is served from the target region; the source isn't a replica yet."""
    REPROTECTING = "reprotecting"
    PROTECTED = "protected"
    """The old source is a replica again; the way back may start."""
    AWAITING_RETURN_APPROVAL = "awaiting-return-approval"
    RETURNING = "returning"
    CLOSED = "closed"
    STOOD_DOWN = "stood-down"
    """Ended without an activation: the cause went away or the people decided against it."""


class Event(StrEnum):
    """What moves an incident from state to state."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    CAUSE_GONE = "cause-gone"
    STEP_STUCK = "step-stuck"
    PERSON_CHOSE = "person-chose"
    RUN_SUCCEEDED = "run-succeeded"
    RUN_ABANDONED = "run-abandoned"
    RETURN_REQUESTED = "return-requested"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DECLARED, Event.PROPOSED): State.AWAITING_APPROVAL,
    (State.DECLARED, Event.CAUSE_GONE): State.STOOD_DOWN,
    (State.AWAITING_APPROVAL, Event.APPROVED): State.ACTIVATING,
    (State.AWAITING_APPROVAL, Event.REFUSED): State.STOOD_DOWN,
    (State.AWAITING_APPROVAL, Event.UNANSWERED): State.STOOD_DOWN,
    (State.AWAITING_APPROVAL, Event.CAUSE_GONE): State.STOOD_DOWN,
    # A changed proposal is made again; the incident goes on waiting.
    (State.AWAITING_APPROVAL, Event.PROPOSED): State.AWAITING_APPROVAL,
    (State.ACTIVATING, Event.STEP_STUCK): State.NEEDS_PERSON,
    (State.ACTIVATING, Event.RUN_SUCCEEDED): State.RECOVERED,
    (State.RECOVERED, Event.RETURN_REQUESTED): State.REPROTECTING,
    (State.REPROTECTING, Event.STEP_STUCK): State.NEEDS_PERSON,
    (State.REPROTECTING, Event.RUN_SUCCEEDED): State.PROTECTED,
    (State.PROTECTED, Event.PROPOSED): State.AWAITING_RETURN_APPROVAL,
    (State.AWAITING_RETURN_APPROVAL, Event.PROPOSED): State.AWAITING_RETURN_APPROVAL,
    (State.AWAITING_RETURN_APPROVAL, Event.APPROVED): State.RETURNING,
    (State.AWAITING_RETURN_APPROVAL, Event.REFUSED): State.RECOVERED,
    (State.AWAITING_RETURN_APPROVAL, Event.UNANSWERED): State.RECOVERED,
    (State.RETURNING, Event.STEP_STUCK): State.NEEDS_PERSON,
    (State.RETURNING, Event.RUN_SUCCEEDED): State.CLOSED,
}
"""`NEEDS_PERSON` and `PERSON_CHOSE` lead back to where the incident stood: see `next_state`."""

ENDED = frozenset({State.CLOSED, State.STOOD_DOWN})


def next_state(state: State, event: Event, stuck_in: State | None = None) -> State | None:
    """The state after `event`, or None when the event has no meaning here. `stuck_in`: where a person was asked for."""
    if state is State.NEEDS_PERSON and event is Event.PERSON_CHOSE:
        return stuck_in
    return TRANSITIONS.get((state, event))


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> declared"]
    lines += [f"    {before.value} --> {after.value}: {event.value}" for (before, event), after in TRANSITIONS.items()]
    stuck = sorted({before.value for (before, event) in TRANSITIONS if event is Event.STEP_STUCK})
    lines += [f"    needs-person --> {name}: {Event.PERSON_CHOSE.value}" for name in stuck]
    lines += [f"    {state.value} --> [*]" for state in sorted(ENDED)]
    return "\n".join(lines) + "\n"
