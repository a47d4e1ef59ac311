"""What people need to know before they decide: why it is asked, who holds the right to write, what may be lost, who has said yes so far.

Pure: the read model in, sentences out. Short on purpose: three lines at most, and none when nothing waits for a decision.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.console.said import Said
from holdfast.report.wording import count, duration, listing

PLAIN = "plain"
"""State of a sentence that only explains: it has no colour and no icon."""
_BEFORE_SERVICE_IS_BACK = (
    "declared",
    "awaiting-approval",
    "activating",
    "needs-person",
    "halted",
    "turning-back",
    "awaiting-return-approval",
)


def asked(state: Mapping[str, Any]) -> tuple[Said, ...]:
    """The sentences behind the first line of an open incident."""
    incident = state["incident"]
    if incident is None or incident["state"] not in _BEFORE_SERVICE_IS_BACK:
        return ()
    why = Said(PLAIN, f"because {incident['reason']}; {state['serving']} holds the right to write, epoch {state['era']}.{state['epoch']}")
    proposal, gone = incident["proposal"], incident.get("cause_gone")
    if gone is not None:
        why = _come_back(incident, gone)
    if proposal is None:
        return (why,)
    behind = incident.get("held_back") or ()
    held = (Said("needs-person", f"it does not begin while {' and '.join(behind)}"),) if behind else ()
    return (why, _loss(proposal), *held)


def _come_back(incident: Mapping[str, Any], gone: Mapping[str, float]) -> Said:
    unseen = f"what opened it ({incident['reason']}) has not been seen for {duration(gone['for_seconds'])}"
    left = duration(gone["stands_down_in_seconds"])
    return Said("unknown", f"{unseen}: nothing is moved while that is so, and in {left} the incident stands down")


def _loss(proposal: Mapping[str, Any]) -> Said:
    bound, writes = proposal["loss_bound_seconds"], proposal["estimated_writes"]
    given = [f"{approval['person']} ({approval['role'].replace('-', ' ')})" for approval in proposal["approvals"]]
    so_far = f"{listing(given)} approved so far, {len(given)} of {proposal['count']}" if given else "nobody has approved yet"
    if bound is None:
        return Said("unknown", f"nobody can bound what it may lose: one approver must accept that by name; {so_far}")
    if bound == 0:
        return Said("done", f"it loses nothing; {so_far}")
    estimate = f", an estimated {count(writes, 'write')}" if writes else ""
    above = ", above the RPO: one approver must accept that by name" if proposal["above_rpo"] else ""
    state = "failed" if proposal["above_rpo"] else "needs-person"
    return Said(state, f"it may lose at most the last {duration(bound)} of acknowledged writes{estimate}{above}; {so_far}")
