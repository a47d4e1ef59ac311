"""The runs of an incident: there, reprotection, the way back, and turning one of them back; which one is on, and how far it has come."""

from holdfast.decision.replay import IncidentState, Installation
from holdfast.decision.table import State
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Phase, Plan, Scenario

FAILOVER = "failover"
"""The scenario's phases, also when the move is a planned one."""
REPROTECT = "reprotect"
WAY_BACK = "way-back"
TURN_BACK = "turn-back"
"""Undoes what an aborted run began. Its regions are turned round: its target is the region that goes on serving."""

_RUN_OF_STATE = {
    State.DECLARED: FAILOVER,
    State.AWAITING_APPROVAL: FAILOVER,
    State.ACTIVATING: FAILOVER,
    State.REPROTECTING: REPROTECT,
    State.PROTECTED: WAY_BACK,
    State.AWAITING_RETURN_APPROVAL: WAY_BACK,
    State.RETURNING: WAY_BACK,
    State.TURNING_BACK: TURN_BACK,
}


def phases_of(plan: Plan, scenario: str, run: str) -> tuple[Phase, ...]:
    """The plan's phases that a run goes through; turning back has none."""
    return phases_in(plan.scenarios[scenario], run)


def phases_in(scenario: Scenario | None, run: str) -> tuple[Phase, ...]:
    """The same of a scenario at hand; none where there is none."""
    if scenario is None:
        return ()
    return {FAILOVER: scenario.phases, REPROTECT: scenario.reprotect, WAY_BACK: scenario.way_back}.get(run, ())


def is_carried_out_by_people(plan: Plan, scenario: str) -> bool:
    """Whether a scenario asks for no approval: then it moves nothing, and people tick off its steps."""
    return not any(step.block == "approve" for phase in phases_of(plan, scenario, FAILOVER) for step in phase.steps)


def moves_writers(plan: Plan, scenario: str, run: str) -> bool:
    """Whether a run takes write power from one region and gives it to the other. One that doesn't needs no fence and opens no epoch."""
    named = [step for phase in phases_of(plan, scenario, run) for step in phase.steps]
    ways = [one for step in named if step.other_way is not None for one in step.other_way.steps]
    blocks = (BLOCKS[step.block] for step in (*named, *ways))
    return any(block.grants_write or block.removes_write for block in blocks)


def copies_moved(plan: Plan, scenario: str, run: str) -> tuple[str, ...]:
    """Components whose copies a run makes the ones that are written, in the order of its steps."""
    named = (step for phase in phases_of(plan, scenario, run) for step in phase.steps if BLOCKS[step.block].begins_writing)
    return tuple(dict.fromkeys(step.component for step in named if step.component is not None))


def stores_moved(plan: Plan, scenario: str) -> frozenset[str]:
    """The stores that the scenario's failover begins to write in the other region."""
    return frozenset(copies_moved(plan, scenario, FAILOVER))


def moved_alone(plan: Plan, incident: IncidentState | None, scenario: str) -> frozenset[str] | None:
    """Components that the failover of the open incident moves without any writer, or that of the scenario would if it were begun now;
    None when it moves writers."""
    scenario = incident.scenario if incident is not None else scenario
    if moves_writers(plan, scenario, FAILOVER):
        return None
    named = (step for phase in phases_of(plan, scenario, FAILOVER) for step in phase.steps)
    return frozenset(step.component for step in named if step.component is not None)


def current_run(incident: IncidentState) -> str | None:
    """The run that the incident is in, or None between runs. Where a person is waited for, it is the run that waits."""
    waits = incident.state in (State.NEEDS_PERSON, State.HALTED)
    state = incident.stuck_in if waits else incident.state
    return None if state is None else _RUN_OF_STATE.get(state)


def since_start(incident: IncidentState, run: str) -> tuple[Record, ...]:
    """The incident's records since this run was started last."""
    starts = [index for index, record in enumerate(incident.course) if record.kind == Kind.RUN_STARTED and record.body["run"] == run]
    return incident.course[starts[-1] :] if starts else ()


def is_open(incident: IncidentState, run: str) -> bool:
    """Whether the run was started and has no end."""
    records = since_start(incident, run)
    return bool(records) and not any(record.kind == Kind.RUN_FINISHED and record.body["run"] == run for record in records)


def regions_of_run(incident: IncidentState, run: str) -> tuple[str, str]:
    """(source, target) of a run. The way back turns them round, and turning back turns round whatever it turns back."""
    if run == TURN_BACK:
        source, target = regions_of_run(incident, incident.turning or FAILOVER)
        return target, source
    return (incident.target, incident.source) if run == WAY_BACK else (incident.source, incident.target)


def mode_of_run(incident: IncidentState, run: str) -> str:
    """A way back is graceful, and so are reprotection and turning back, unless people decided otherwise on the way."""
    return incident.modes.get(run) or (incident.mode if run == FAILOVER else "graceful")


def intended(incident: IncidentState, run: str) -> tuple[Record, ...]:
    """The first intent of every step of the run that was begun since it started last."""
    first: dict[str, Record] = {}
    for record in since_start(incident, run):
        if record.kind == Kind.STEP_INTENDED and record.body["run"] == run:
            first.setdefault(record.body["step"], record)
    return tuple(first.values())


def promotion_ordered(incident: IncidentState, run: str) -> bool:
    """Whether write power was granted, or may have been: from then on the run's epoch is open, and no order takes that back."""
    return any(BLOCKS[record.body["block"]].grants_write for record in intended(incident, run))


def may_lose(incident: IncidentState | None, serving: str) -> str:
    """The region whose writes may be lost now: the source of a move that is decided and has promoted nobody, else the one that serves."""
    run = current_run(incident) if incident is not None else None
    if incident is None or run is None:
        return serving
    if run == TURN_BACK:
        return regions_of_run(incident, run)[1]
    return regions_of_run(incident, run)[0] if run in incident.epochs and not promotion_ordered(incident, run) else serving


def next_order(known: Installation, incident: IncidentState | None, run: str | None = None) -> Order:
    """The order of the next intent: higher than every one before. A run that has an epoch or a number of its own orders under that; all
    else under the highest that is in force or that a run of the incident was numbered with."""
    own = None if incident is None or run is None else incident.epochs.get(run) or incident.numbers.get(run)
    era, epoch = own or max([(known.era, known.epoch), *(incident.numbers.values() if incident is not None else ())])
    return Order(era, epoch, known.term, known.steps_ordered + 1)
