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
    TURNING_BACK = "turning-back"
    """Somebody aborted before any promotion was ordered: what was begun is undone."""
    HALTED = "halted"
    """Somebody aborted after a promotion was ordered: nothing further begins before a person says how to go on."""
    TURNED_BACK = "turned-back"
    """Ended by an abort: the region that served before serves, and every component's state is named."""
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
    RESOLVED = "resolved"
    """People have carried out a scenario that moves nothing."""
    RUN_ABANDONED = "run-abandoned"
    """Somebody aborted while nothing was promoted."""
    TURNED = "turned"
    """Everything that was begun is undone: the incident is over."""
    STAYED = "stayed"
    """What was begun of the way home is undone: service stays where it is."""
    HALTED = "halted"
    GONE_ON = "gone-on"
    HOME_ALREADY = "home-already"
    """The old source follows the plan's primary region: there is no way home left to take."""
    FOUND_AWAY = "found-away"
    """Opened while the DR region serves and no incident is open: only the way home is left."""
    RETURN_REQUESTED = "return-requested"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DECLARED, Event.PROPOSED): State.AWAITING_APPROVAL,
    (State.DECLARED, Event.CAUSE_GONE): State.STOOD_DOWN,
    (State.DECLARED, Event.RESOLVED): State.CLOSED,
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
    (State.DECLARED, Event.FOUND_AWAY): State.RECOVERED,
    (State.REPROTECTING, Event.HOME_ALREADY): State.CLOSED,
    # Turning back. What was aborted before it changed anything goes the same way, with nothing to undo.
    (State.DECLARED, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.AWAITING_APPROVAL, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.ACTIVATING, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.NEEDS_PERSON, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.REPROTECTING, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.PROTECTED, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.AWAITING_RETURN_APPROVAL, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.RETURNING, Event.RUN_ABANDONED): State.TURNING_BACK,
    (State.TURNING_BACK, Event.STEP_STUCK): State.NEEDS_PERSON,
    (State.TURNING_BACK, Event.TURNED): State.TURNED_BACK,
    (State.TURNING_BACK, Event.STAYED): State.RECOVERED,
    (State.ACTIVATING, Event.HALTED): State.HALTED,
    (State.RETURNING, Event.HALTED): State.HALTED,
    (State.NEEDS_PERSON, Event.HALTED): State.HALTED,
    (State.HALTED, Event.RETURN_REQUESTED): State.REPROTECTING,
}
"""`PERSON_CHOSE` after `NEEDS_PERSON`, and `GONE_ON` after `HALTED`, lead back to where the incident stood: see `next_state`."""

ENDED = frozenset({State.CLOSED, State.STOOD_DOWN, State.TURNED_BACK})


def next_state(state: State, event: Event, stuck_in: State | None = None) -> State | None:
    """The state after `event`, or None when the event has no meaning here. `stuck_in`: where a person was asked for, or said stop."""
    if (state, event) in ((State.NEEDS_PERSON, Event.PERSON_CHOSE), (State.HALTED, Event.GONE_ON)):
        return stuck_in
    return TRANSITIONS.get((state, event))


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> declared"]
    lines += [f"    {before.value} --> {after.value}: {event.value}" for (before, event), after in TRANSITIONS.items()]
    stuck = sorted({before.value for (before, event) in TRANSITIONS if event is Event.STEP_STUCK})
    lines += [f"    needs-person --> {name}: {Event.PERSON_CHOSE.value}" for name in stuck]
    halted = sorted({before.value for (before, event) in TRANSITIONS if event is Event.HALTED and before is not State.NEEDS_PERSON})
    lines += [f"    halted --> {name}: {Event.GONE_ON.value}" for name in halted]
    lines += [f"    {state.value} --> [*]" for state in sorted(ENDED)]
    return "\n".join(lines) + "\n"
