"""What must be true before a step may touch the world, whatever the plan's order says (invariants 2, 7 and 9)."""

from holdfast.decision.replay import IncidentState
from holdfast.runbook.graph import PlannedStep, Runbook
from holdfast.runbook.progress import DONE, Progress, under_way


def forbidden(incident: IncidentState, run: str, step: PlannedStep, book: Runbook, progress: Progress, plan_digest: str) -> str | None:
    """Why this step must not start, or None. `plan_digest`: of the plan that this controller was started with.

    A plan whose graph lets a promotion run before its fence is a finding of `holdfast check`; here it is stopped all the same.
    """
    opened = run in incident.epochs
    touches_writers = step.block.grants_write or step.block.moves_traffic or step.block.removes_write
    if touches_writers and not opened:
        return "nobody has approved this run yet: no epoch was opened for it"
    if touches_writers and incident.decided.get(run, {}).get("plan_digest", plan_digest) != plan_digest:
        return "the plan is another one than was approved: start the controller with that one again, then choose retry"
    if (step.block.grants_write or step.block.moves_traffic) and run not in incident.positions:
        return "the source region isn't fenced: no fence was confirmed and its lease hasn't run out"
    if step.block.moves_traffic:
        unproved = [other.id for other in under_way(book, progress) if other.block.grants_write and progress[other.id].state not in DONE]
        if unproved:
            return f"traffic moves last: {', '.join(unproved)} has not made the target writable"
    return None
