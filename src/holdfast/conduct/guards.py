"""What must be true before a step may touch the world, whatever the plan's order says (invariants 2, 7, 9 and 11)."""

from collections.abc import Mapping
from typing import Any

from holdfast.conduct.pausing import is_paused
from holdfast.conduct.runs import FAILOVER, REPROTECT, TURN_BACK
from holdfast.conduct.situation import Situation
from holdfast.conduct.undoing import waits_for_its_step
from holdfast.decision.replay import IncidentState
from holdfast.runbook.graph import PlannedStep, Runbook
from holdfast.runbook.progress import DONE, Progress, StepState, under_way

EXPORT = "divergence.export"
PROOF = "postgres.verify"
_WITH_A_WRITER = ("postgres", "redis")


def forbidden(incident: IncidentState, run: str, step: PlannedStep, book: Runbook, progress: Progress, plan_digest: str) -> str | None:
    """Why this step must not start, or None. `plan_digest`: of the plan that this controller was started with.

    A plan whose graph lets a promotion run before its fence is a finding of `holdfast check`; here it is stopped all the same.
    """
    if run == TURN_BACK:
        return None  # Its own steps wait for one another: traffic only for a region that was told to go on.
    numbered = run in incident.numbers  # No writer moves, so there is none to fence: the one that writes is proved by its own lease.
    opened = run in incident.epochs or numbered
    touches_writers = step.block.grants_write or step.block.moves_traffic or step.block.removes_write
    if touches_writers and not opened:
        return "nobody has approved this run yet: no epoch was opened for it"
    if touches_writers and incident.decided.get(run, {}).get("plan_digest", plan_digest) != plan_digest:
        return "the plan is another one than was approved: start the controller with that one again, then choose retry"
    if incident.numbers and (barred := _beyond_its_number(step)) is not None:
        return barred
    if numbered and step.block.moves_traffic:
        return _not_pointed(book, progress)
    if not numbered and (step.block.grants_write or step.block.moves_traffic) and run not in incident.positions:
        return "the source region isn't fenced: no fence was confirmed and its lease hasn't run out"
    if step.block.moves_traffic and (unproved := _not_writable(book, progress)) is not None:
        return unproved
    return _not_exported(incident, run, step, book, progress)


def _not_writable(book: Runbook, progress: Progress) -> str | None:
    """Why the target's stores count as not writable yet. A database whose promotion a person skipped may have been promoted by hand: then
    the plan's own proof must have seen a write. Other stores have no such proof, and a person may go on without them."""
    now = under_way(book, progress)
    promotions = [step for step in now if step.block.grants_write]
    undone = [step.id for step in promotions if progress[step.id].state not in DONE]
    if undone:
        return f"traffic moves last: {', '.join(undone)} has not made the target writable"
    proved = {step.component for step in now if step.block.name == PROOF and progress[step.id].state is StepState.SUCCEEDED}
    skipped = (step for step in promotions if progress[step.id].state is StepState.SKIPPED)
    unproved = [step.id for step in skipped if step.block.component_kind == "postgres" and step.component not in proved]
    if unproved:
        return f"traffic moves last: {', '.join(unproved)} was skipped, and no {PROOF} has seen a write in the target since"
    return None


def _beyond_its_number(step: PlannedStep) -> str | None:
    """What an incident that moves no writer never does, whatever a plan says."""
    if step.block.grants_write:
        return "this run was approved as one that moves no writer: begin it again with the plan that it was approved with"
    if step.block.component_kind in _WITH_A_WRITER and step.block.overwrites_source:
        return f"no writer was moved, so the {step.block.component_kind} of the source is no replica to be made"
    return None


def _not_pointed(book: Runbook, progress: Progress) -> str | None:
    """Where only traffic moves, it waits until the application that it moves to is pointed at the stores that are written."""
    pointing = (other for other in under_way(book, progress) if other.block.name == "settings.update")
    steps = [other for other in pointing if other.parameters.get("region", "target") == "target"]
    undone = [other.id for other in steps if progress[other.id].state not in DONE]
    return f"traffic moves last: {', '.join(undone)} has not pointed the application at its stores" if undone else None


def handed_over(incident: IncidentState, run: str) -> Mapping[str, Any]:
    """Where the source's stores were stopped orderly; the target was promoted only after it had all that. Empty: they were not."""
    return incident.positions.get(FAILOVER if run == REPROTECT else run, {})


def _not_exported(incident: IncidentState, run: str, step: PlannedStep, book: Runbook, progress: Progress) -> str | None:
    """What only the source holds is written down before anything overwrites it, unless a named person skipped that with a reason.

    On the way home both buckets are at hand and nothing there is the source's alone, so only the first reconciliation waits.
    """
    if not step.block.overwrites_source or handed_over(incident, run) or (step.block.name == "bucket.reconcile" and run != REPROTECT):
        return None
    exports = [other for other in under_way(book, progress) if other.block.name == EXPORT]
    if any(progress[other.id].state in DONE for other in exports):
        return None
    which = f"{exports[0].id} has not written it down" if exports else f"the plan has no step '{EXPORT}' in this run: add one, choose retry"
    return f"what only the source holds would be overwritten, and {which}"


def held(situation: Situation, incident: IncidentState, run: str, step: PlannedStep) -> bool:
    """Whether this step, which could start, waits: for people to decide again about what it needs, for the end of a pause, or for the end
    of what it undoes."""
    block = step.block
    if run == TURN_BACK and waits_for_its_step(incident, step, situation.in_flight):
        return True
    if is_paused(situation, incident, run, step):
        return True
    touches_writers = block.begins_writing or block.moves_traffic or block.removes_write
    return touches_writers and run in incident.reopened
