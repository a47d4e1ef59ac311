"""Whether the copies are near enough for a planned move: its source stops orderly, and the copies must have everything within its lease.

Rules: what nobody has seen is *unknown*, and unknown is not near. PostgreSQL and Redis must not be further behind than an orderly stop can
wait: else the source stops, the target can't be promoted without losing something, and service is down until a person acts. No stop waits
for a bucket: what has not arrived stays with the source until it is reconciled, so its own RPO is what it is held to, where it is known how
far it is and the run doesn't reconcile it first. Never here: failovers, which wait for nothing and say what they may lose.
"""

from holdfast.conduct.runs import FAILOVER, WAY_BACK, copies_moved, mode_of_run, phases_of, regions_of_run
from holdfast.conduct.situation import Situation
from holdfast.decision.replay import IncidentState
from holdfast.fencing.lease import orderly_stop_seconds
from holdfast.plan.model import Plan
from holdfast.plan.values import spoken_duration

PATIENCE_SECONDS = 15.0
"""How long a decided move waits for a copy that fell behind before a person is asked."""
_LOOKS = 2.0
"""How many probe intervals old what is known of a copy that follows at once may be."""


def not_near(situation: Situation, scenario: str, run: str, target: str) -> tuple[str, ...]:
    """Why a planned run to `target` must not begin now: a sentence for each copy that is too far behind. Empty: it may."""
    said = (_too_far(situation, scenario, run, component, target) for component in copies_moved(situation.plan, scenario, run))
    return tuple(sentence for sentence in said if sentence is not None)


def holding_back(situation: Situation, incident: IncidentState, run: str) -> tuple[str, ...]:
    """The same of a run of an incident that is still to be decided, or whose source is still to be stopped."""
    if run not in (FAILOVER, WAY_BACK) or mode_of_run(incident, run) != "graceful":
        return ()
    return not_near(situation, incident.scenario, run, regions_of_run(incident, run)[1])


def _too_far(situation: Situation, scenario: str, run: str, component: str, target: str) -> str | None:
    known, lag = situation.plan.components[component], situation.lags.get(component)
    named = f"{known.name} in {target}"
    looking = _LOOKS * situation.profile.probe_every
    if known.kind == "bucket":
        if lag is None or known.rpo is None or lag <= known.rpo + looking or _reconciled(situation.plan, scenario, run, component):
            return None
        return f"{named} is {spoken_duration(lag)} behind, more than its RPO of {spoken_duration(known.rpo)}"
    waits = orderly_stop_seconds(situation.profile.lease)
    if lag is None:
        return f"how far {named} is behind is unknown"
    if lag <= waits + looking:
        return None
    return f"{named} is {spoken_duration(lag)} behind, and an orderly stop can wait {spoken_duration(waits)} for it"


def _reconciled(plan: Plan, scenario: str, run: str, component: str) -> bool:
    named = (step for phase in phases_of(plan, scenario, run) for step in phase.steps)
    return any((step.block, step.component) == ("bucket.reconcile", component) for step in named)
