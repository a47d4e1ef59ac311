"""Journal records as calm lines for people: what happened, when (counted from the impact), and why.

Pure: a record in, a line out, or None for records that only machines read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.conduct.alerting import left_out
from holdfast.health.zones import zone_in_words
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `state` is a word of the look (done, running, needs-person, failed, unknown)."""

    at_seconds: float
    state: str
    text: str


Body = Mapping[str, Any]


def _clock_said(body: Mapping[str, Any]) -> str:
    said = (
        f"the clock of the controller's machine was set {'back' if body['seconds'] < 0 else 'forward'} by {_seconds(abs(body['seconds']))}"
    )
    return f"{said}; the open incident's times go on by the clock as it was" if body["kept"] else said


def _seconds(value: float | None) -> str:
    if value is None:
        return "an unknown time"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"


def _started(body: Body) -> tuple[str, str]:
    verb = "goes on" if body["resumed"] else "starts"
    return "done", f"controller {verb}: term {body['term']}, profile {body['profile']}, {body['serving']} serves"


def _proposed(body: Body) -> tuple[str, str]:
    bound = body["loss_bound_seconds"]
    loss = "nothing" if bound == 0 else f"at most {_seconds(bound)} of writes" if bound is not None else "an unknown amount"
    alone = "" if body.get("moves_writers", True) else f" ({body['scenario']}: no writer moves)"
    return "needs-person", (
        f"{body['action']} {body['source']} → {body['target']}{alone} waits for {body['count']} of {', '.join(body['roles'])}; "
        f"it may lose {loss}"
    )


def _waiting(body: Body) -> tuple[str, str]:
    words = [str(choice["choice"]) for choice in body.get("choices", ())]
    choose = f"; choose: {', '.join(words)}" if words else ""
    return "needs-person", f"{body['step']} waits for the {body['needs']}: {body['reason']}{choose}"


def _other_way(body: Body) -> tuple[str, str]:
    by = "Holdfast, as the plan says" if body["by"] == "holdfast" else body["by"]
    return "running", f"{body['step']} goes the other way ({', then '.join(body['steps'])}), said by {by}: {body['reason']}"


def _functions(body: Body) -> tuple[str, str]:
    if body["hit"]:
        return "failed", f"clients don't get what the plan promises from: {', '.join(body['hit'])}"
    return "done", f"clients are served again by: {', '.join(body['back'])}"


def _finished(body: Body) -> tuple[str, str]:
    if body["outcome"] == "failed" and body.get("attempts_left"):
        return "running", f"{body['step']}: not yet, it is tried again: {body['detail']}"
    good = body["outcome"] in ("succeeded", "settled")
    word = "done" if good else "unknown" if body["outcome"] == "unknown" else "failed"
    if body["outcome"] in ("skipped", "again"):
        word = "needs-person"
    return word, f"{body['step']}: {body['detail']}"


def _zone(body: Body) -> tuple[str, str]:
    return ("failed" if body["health"] == "down" else "done"), zone_in_words(body)


def _turned_back(body: Body) -> tuple[str, str]:
    states = {name: ", ".join(f"{region} {state}" for region, state in at.items()) for name, at in body["components"].items()}
    return "done", f"{body['reason']}. {'; '.join(f'{name}: {said}' for name, said in states.items())}"


def _withdrawn(body: Body) -> tuple[str, str]:
    back = ".".join(map(str, body["back"]))
    return "done", f"epoch {body['era']}.{body['epoch']} is withdrawn for good; {body['serving']} may write again under {back}"


def _escalated(body: Body) -> tuple[str, str]:
    called = ", ".join(dict.fromkeys(str(recipient) for _, recipient, _ in body["calls"])) or "nobody who could be reached"
    loud = "NOBODY ANSWERS: " if body["starts_over"] else ""
    return ("failed" if body["starts_over"] else "needs-person"), f"{loud}{body['reason']}; called: {called}"


def _protection_ordered(body: Body) -> tuple[str, str]:
    where = f"{body['component']} in {body['region']}"
    if body["mode"] == "synchronous":
        return "running", f"{body['by']} lets each write to {where} wait for its copy again"
    said = f"PROTECTION DROPPED by {body['by']} ({body['role']}): {where} is to go on without its copy: {body['because']}"
    return "needs-person", f"{said}; what it acknowledges from now on may be lost"


def _protection_changed(body: Body) -> tuple[str, str]:
    wish = "is protected again" if body["mode"] == "synchronous" else "is UNPROTECTED"
    if body["outcome"] == "succeeded":
        return ("done" if body["mode"] == "synchronous" else "needs-person"), f"{body['component']} in {body['region']} {wish}"
    word = "unknown" if body["outcome"] == "unknown" else "failed"
    return word, f"whether {body['component']} in {body['region']} {wish}: {body['outcome']}, {body['detail']}"


def _explained(body: Body) -> tuple[str, str]:
    said = [f"{name}: {body[name]}" for name in ("cause", "review") if body[name] is not None]
    return "done", f"{body['by']} says what is known, {'; '.join(said)}"


_SAYINGS: Mapping[str, Callable[[Body], tuple[str, str]]] = {
    Kind.CONTROLLER_STARTED: _started,
    Kind.OBSERVERS_SEEN: lambda body: (
        "unknown" if body["silent"] else "done",
        f"{', '.join(body['silent'])} is silent; {len(body['heard'])} observers answer" if body["silent"] else "every observer answers",
    ),
    Kind.SUSPICION_RAISED: lambda body: ("unknown", f"{body['region']} is suspected ({body['trigger']}): {body['reason']}"),
    Kind.SUSPICION_CLEARED: lambda body: ("done", f"{body['region']} is no longer suspected ({body['trigger']})"),
    Kind.ZONE_CHANGED: _zone,
    Kind.INCIDENT_OPENED: lambda body: ("failed", f"{body['kind']} opened: {body['source']} → {body['target']}, because {body['reason']}"),
    Kind.SEVERITY_CHANGED: lambda body: ("failed", f"severity {body['severity']}: {body['reason']}"),
    Kind.FUNCTIONS_SEEN: _functions,
    Kind.PROPOSED: _proposed,
    Kind.APPROVED: lambda body: ("done", f"{body['person']} approves as {body['role']}"),
    Kind.APPROVAL_REFUSED: lambda body: ("failed", f"{body['person']} decides against it: {body['reason']}"),
    Kind.PROPOSAL_VOID: lambda body: ("unknown", f"the proposal is void: {body['reason']}"),
    Kind.DECIDED: lambda body: ("done", f"decided: {body['action']}, {body['reason']}"),
    Kind.RUN_NUMBERED: lambda body: ("running", f"no writer moves: the run's orders carry {body['era']}.{body['epoch']}"),
    Kind.EPOCH_OPENED: lambda body: ("running", f"epoch {body['era']}.{body['epoch']} opens for {body['target']}"),
    Kind.ATTESTED: lambda body: (
        "needs-person",
        f"{body['person']} attests as {body['role']} that {body['region']} can't write: {body['because']}",
    ),
    Kind.PAUSED: lambda body: ("needs-person", f"AUTOMATIC ACTION IS PAUSED by {body['by']}: {body['because']}"),
    Kind.PROTECTION_ORDERED: _protection_ordered,
    Kind.PROTECTION_CHANGED: _protection_changed,
    Kind.RESUMED: lambda body: ("done", f"automatic action is allowed again by {body['by']}"),
    Kind.CLOCK_STEPPED: lambda body: ("unknown", _clock_said(body)),
    Kind.JOURNAL_WAITED: lambda body: (
        "unknown",
        f"the journal can be written again; for {_seconds(body['seconds'])} it could not, and nothing was decided or ordered",
    ),
    Kind.JOURNAL_KEPT: lambda body: ("unknown", body["reason"]),
    Kind.EPOCH_FOUND: lambda body: ("failed", body["reason"]),
    Kind.EPOCH_WITHDRAWN: _withdrawn,
    Kind.APPROVAL_REOPENED: lambda body: ("needs-person", f"people are asked again before anything is promoted: {body['reason']}"),
    Kind.TURNED_BACK: _turned_back,
    Kind.REAPPLY_ORDERED: lambda body: (
        "running",
        f"{body['by']} has {len(body['only'])} of what only the lost side held given to {body['region']}",
    ),
    Kind.REAPPLIED: lambda body: (
        "done" if set(body["counts"]) <= {"applied", "already"} else "needs-person",
        f"given back to {body['region']}: " + ", ".join(f"{count} {result}" for result, count in body["counts"].items()),
    ),
    Kind.FENCE_CONFIRMED: lambda body: ("done", f"{body['region']} can't write any more ({body['how']})"),
    Kind.STEP_INTENDED: lambda body: ("running", f"{body['step']} ({body['block']}) begins"),
    Kind.STEP_FINISHED: _finished,
    Kind.ORDER_FORGOTTEN: lambda body: ("unknown", f"{body['reason']}; what {body['step']} ordered is said to it again"),
    Kind.ORDER_REPEATED: lambda body: (
        "done" if body["outcome"] == "succeeded" else "unknown" if body["outcome"] == "unknown" else "failed",
        f"{body['step']} once more: {body['detail']}",
    ),
    Kind.STEP_WAITING: _waiting,
    Kind.OTHER_WAY: _other_way,
    Kind.RUN_FINISHED: lambda body: ("done" if body["outcome"] == "succeeded" else "failed", f"run {body['run']} {body['outcome']}"),
    Kind.NOTIFICATION_SENT: lambda body: ("done", f"told {body['recipient']} over {body['channel']}: {body['message']}"),
    Kind.NOTIFICATION_FAILED: lambda body: ("failed", f"could not tell {body['recipient']} over {body['channel']}: {body['reason']}"),
    Kind.NOTIFICATION_UNKNOWN: lambda body: (
        "unknown",
        f"nobody knows whether {body['recipient']} was told over {body['channel']}: {body['message']}, {body['reason']}",
    ),
    Kind.NOTIFICATION_GIVEN_UP: lambda body: (
        "failed",
        f"GIVEN UP: {body['recipient']} is not told over {body['channel']}: {body['message']}, {body['reason']}",
    ),
    Kind.ESCALATED: _escalated,
    Kind.ACKNOWLEDGED: lambda body: ("done", f"{body['person']} {'joins' if body['joins'] else 'has it'} (by {body['way']})"),
    Kind.ROLE_TAKEN: lambda body: ("done", f"{body['person']} takes the role {body['role']}: {body['reason']}"),
    Kind.MESSAGE_EDITED: lambda body: ("done", f"{body['by']} wrote the words of {body['key']}"),
    Kind.EXPLAINED: _explained,
    Kind.ALERT_HEARD: lambda body: (
        "unknown",
        f"{body['source']} says: {body['says']} ({body['signal']}, {body['status']}){left_out(body)}",
    ),
    Kind.ALERT_CONFIRMED: lambda body: (
        "running",
        f"{body['by']} confirms what the alert says ({body['trigger'].removeprefix('signal:')})",
    ),
    Kind.ACCESS_BROKEN: lambda body: (
        "needs-person",
        f"GLASS BROKEN: {body['by']} and {body['with']} signed in without single sign-on: {body['because']}",
    ),
    Kind.AGENT_RECORD: lambda body: (
        "done",
        f"the agent of {body['region']} says{' (late)' if body['late'] else ''}: {body['what']}: {body['detail']}",
    ),
    Kind.EXERCISE_MARK: lambda body: ("running", f"the exercise: {body['what']} {body['detail']}".rstrip()),
    Kind.INCIDENT_CLOSED: lambda body: ("done", f"closed: {body['reason']}"),
}


def line(record: Record) -> Line | None:
    """The line for a record, or None."""
    saying = _SAYINGS.get(record.kind)
    if saying is None:
        return None
    state, text = saying(record.body)
    return Line(record.at_seconds, state, text)
