"""The steps that undo what an aborted run began, in the order in which nobody is left without service.

Rules:
- A run's regions are turned round: the source of the undoing is the region that the run was to move to.
- The epoch is withdrawn first. Then what served is made whole, and the application is pointed back at the stores that it used. The names
  are given back when a real transaction proves that. Only then is the other region held back and shrunk.
- What was so before the run is left alone, and so is what nobody can tell how it was before.

Never here: carrying a step out, or the words for what it leaves (see `naming`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.conduct.runs import FAILOVER, TURN_BACK, WAY_BACK, intended, phases_of, regions_of_run
from holdfast.conduct.standing import Standing, before, pointed
from holdfast.decision.replay import IncidentState
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Plan
from holdfast.plan.parameters import region_of
from holdfast.runbook.graph import PlannedStep, Runbook, runbook

PHASE = "Turning back"
PROOF = "prove-service"
PROOF_BEFORE_TRAFFIC = "prove-before-traffic"
STEP_SECONDS = 15.0
"""Bound of one attempt: undoing is short, and a silent region is a person's business soon."""
ATTEMPTS = 4
_WHOLE, _POINTED, _PROVED, _NAMED, _HELD_BACK = range(5)
"""What waits for what: a step waits for every step of a lower place."""


@dataclass(frozen=True, slots=True)
class _Undo:
    """What undoes one step."""

    block: str
    place: int
    parameters: Mapping[str, Any]


def steps(plan: Plan, incident: IncidentState, run: str, withdraws: tuple[int, int] | None) -> tuple[PlannedStep, ...]:
    """What undoes `run`. It depends only on what was intended before the abort, so it stays the same while it is carried out."""
    home, left = regions_of_run(incident, run)
    known = before(plan, incident, run)
    found: list[PlannedStep] = []
    if withdraws is not None:
        found.append(_step(f"withdraw-{left}", "withdraw", parameters={"region": left}))
        found.append(_step(f"withdraw-{home}", "withdraw", after=(found[0].id,), parameters={"region": home}))
    first = tuple(step.id for step in found[1:])
    undoing = [(record.body, undo) for record in intended(incident, run) if (undo := _undo(plan, incident, run, known, record.body))]
    proof = _meant(home, left, known.serves, known.serving_stores)
    places = [(undo_id(body["step"]), undo.place) for body, undo in undoing]
    if any(place == _NAMED for _, place in places):
        found.append(_step(PROOF_BEFORE_TRAFFIC, "smoke.test", after=(*first, *_lower(places, _NAMED)), parameters=proof))
        places.append((PROOF_BEFORE_TRAFFIC, _PROVED))
    for body, undo in undoing:
        after = (*first, *_lower(places, undo.place))
        found.append(_step(undo_id(body["step"]), undo.block, body["component"], after, undo.parameters))
    if withdraws is not None or run in incident.numbers:
        found.append(_step(PROOF, "smoke.test", after=tuple(step.id for step in found), parameters=proof))
    return tuple(found)


def _lower(places: Sequence[tuple[str, int]], place: int) -> tuple[str, ...]:
    return tuple(step for step, other in places if other < place)


def undo_id(step: str) -> str:
    """The name of the step that undoes another."""
    return f"undo-{step}"


def is_undone(plan: Plan, incident: IncidentState, run: str, step: str) -> bool:
    """Whether turning `run` back has a step that undoes this one."""
    return any(one.id == undo_id(step) for one in steps(plan, incident, run, None))


def waits_for_its_step(incident: IncidentState, step: PlannedStep, in_flight: frozenset[tuple[str, str]]) -> bool:
    """Whether what this step undoes is still under way. `in_flight`: (run, step) of all that is."""
    return any(run == incident.turning and step.id == undo_id(begun) for run, begun in in_flight)


def book(plan: Plan, incident: IncidentState) -> Runbook:
    """The steps of the turning back that is on, or was last."""
    return Runbook(steps(plan, incident, incident.turning or FAILOVER, incident.epochs.get(TURN_BACK)))


def book_of(plan: Plan, incident: IncidentState, run: str) -> Runbook:
    """The steps of a run: the plan's, or what undoes an aborted run."""
    return book(plan, incident) if run == TURN_BACK else runbook(phases_of(plan, incident.scenario, run))


def carries_others(found: Runbook, step: PlannedStep) -> bool:
    """Whether others than the proof stand on this step of a turning back: going on without it would take service away."""
    return step.phase == PHASE and any(step.id in other.after and other.id != PROOF for other in found.steps)


def _step(
    identifier: str, block: str, component: str | None = None, after: tuple[str, ...] = (), parameters: Mapping[str, Any] | None = None
) -> PlannedStep:
    return PlannedStep(identifier, PHASE, BLOCKS[block], component, after, parameters or {}, STEP_SECONDS, ATTEMPTS)


def _meant(home: str, left: str, region: str, stores: Mapping[str, str]) -> dict[str, Any]:
    """The parameters by which a step of the undoing means a region's application and the stores that it uses."""
    found: dict[str, Any] = {} if region == home else {"region": "source"}
    if set(stores.values()) == {left}:
        found["stores"] = "source"
    elif not set(stores.values()) <= {home}:
        found["stores"] = {store: "source" if where == left else "target" for store, where in stores.items()}
    return found


def _undo(plan: Plan, incident: IncidentState, run: str, known: Standing, begun: Mapping[str, Any]) -> _Undo | None:
    """What undoes a step, or None where there is nothing to undo or no block for it. `known`: how everything stood before the run."""
    home, left = regions_of_run(incident, run)
    match begun["block"]:
        case "loadbalancer.drain" if home in known.admits:
            return _Undo("loadbalancer.switch", _WHOLE, {})
        case "loadbalancer.switch" if left not in known.admits:
            return _Undo("loadbalancer.drain", _HELD_BACK, {})
        case "bucket.activate" if known.written.get(begun["component"]) == home:
            return _Undo("bucket.activate", _WHOLE, {})
        case "settings.update":
            region, stores = pointed(plan, begun)
            used = known.uses.get(region, stores)
            return None if used == stores else _Undo("settings.update", _POINTED, _meant(home, left, region, used))
        case "dns.switch" if known.serves == home:
            return _Undo("dns.switch", _NAMED, {})
        case "application.scale":
            return _resized(plan, incident, run, begun)
    return None


def _resized(plan: Plan, incident: IncidentState, run: str, begun: Mapping[str, Any]) -> _Undo | None:
    """The size before the run, as far as the plan says it: what its way home shrinks the region to, or what its failover grew it to."""
    home, left = regions_of_run(incident, run)
    region = region_of(begun["parameters"], home, left)
    if (run, region) == (FAILOVER, left):
        standby = _size(plan, incident, WAY_BACK, "source")
        return None if standby is None else _Undo("application.scale", _HELD_BACK, standby)
    if (run, region) == (WAY_BACK, home):
        grown = _size(plan, incident, FAILOVER, "target")
        return None if grown is None else _Undo("application.scale", _WHOLE, grown)
    return None


def _size(plan: Plan, incident: IncidentState, run: str, side: str) -> Mapping[str, Any] | None:
    """How a run of the plan sizes one of its regions, if it does."""
    named = (step for phase in phases_of(plan, incident.scenario, run) for step in phase.steps if step.block == "application.scale")
    return next((step.parameters for step in named if step.parameters.get("region", "target") == side), None)
