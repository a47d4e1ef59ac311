"""Where everything stands before a run: which stores are written, who lets traffic in, where the names lead, what an application uses.

Rules:
- An incident begins with everything in its source; each step that is done since then has moved what it moves, and nothing else has.
- Of a failover that the journal does not hold (it was lost, or begun elsewhere), the plan's own steps are taken to have been done.
- Which stores the application of a region that stood by was pointed at is known only from a step that pointed it.

Never here: what a run does, or how it is undone (see `undoing`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.conduct.runs import FAILOVER, phases_of
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.model import Plan
from holdfast.plan.parameters import region_of, side_of

DONE = frozenset({"succeeded", "settled"})
_STORE_KINDS = frozenset(block.component_kind for block in BLOCKS.values() if block.begins_writing)


@dataclass(frozen=True, slots=True)
class Standing:
    """One moment. `serves`: the region that the names lead to."""

    serves: str
    written: Mapping[str, str]
    """Store → the region where it is written."""
    admits: frozenset[str]
    """Regions whose load balancer lets traffic in."""
    uses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Region → store → the region whose store its application uses; without the regions of which nobody said so."""

    @property
    def serving_stores(self) -> Mapping[str, str]:
        """Store → the region whose store is behind what clients get."""
        return self.uses.get(self.serves, self.written)

    @property
    def aside(self) -> str:
        """What the serving region has from elsewhere, to be said after its name; empty where it has all its own."""
        elsewhere = {store: region for store, region in self.serving_stores.items() if region != self.serves}
        return f", with {whose(elsewhere)}" if elsewhere else ""


def stores_of(plan: Plan) -> tuple[str, ...]:
    """The components that are written, in the plan's order."""
    return tuple(name for name, component in plan.components.items() if component.kind in _STORE_KINDS)


def whose(stores: Mapping[str, str]) -> str:
    """Stores and the regions that they are of, in words."""
    by_region: dict[str, list[str]] = {}
    for store, region in stores.items():
        by_region.setdefault(region, []).append(store)
    return " and ".join(f"{' and '.join(names)} of {region}" for region, names in by_region.items())


def settings(stores: Mapping[str, str]) -> str:
    """The stores that an application uses, in words: those of one region, or each with its region."""
    regions = set(stores.values())
    return f"the stores of {regions.pop()}" if len(regions) == 1 else whose(stores)


def pointed(plan: Plan, begun: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The region whose application a `settings.update` is about, and store → the region whose store it is pointed at.

    `begun`: body of the step's intent, as of every step here.
    """
    sides = {"source": begun["source"], "target": begun["target"]}
    stores = {store: sides[side_of(begun["parameters"], store)] for store in stores_of(plan)}
    return region_of(begun["parameters"], begun["source"], begun["target"]), stores


def before(plan: Plan, incident: IncidentState, run: str | None) -> Standing:
    """How everything stood when this run was started last; for a run that was not, and for None, how it stands now."""
    source = incident.source
    at_home = dict.fromkeys(stores_of(plan), source)
    found = Standing(source, at_home, frozenset({source}), {source: at_home})
    if run == FAILOVER:
        return found
    for body in (*_of_the_plan(plan, incident), *_done(_until(incident, run))):
        found = _after(plan, found, body)
    return found


def _until(incident: IncidentState, run: str | None) -> tuple[Record, ...]:
    starts = [index for index, record in enumerate(incident.records) if record.kind == Kind.RUN_STARTED and record.body["run"] == run]
    return incident.records[: starts[-1]] if starts else incident.records


def _of_the_plan(plan: Plan, incident: IncidentState) -> Iterator[Mapping[str, Any]]:
    """What a failover did that this incident knows nothing of, in the form of intents."""
    if FAILOVER in incident.runs_started:
        return
    for phase in phases_of(plan, incident.scenario, FAILOVER):
        for step in phase.steps:
            named = {"block": step.block, "component": step.component, "parameters": step.parameters}
            yield {**named, "source": incident.source, "target": incident.target}


def _done(records: tuple[Record, ...]) -> Iterator[Mapping[str, Any]]:
    """The intent of every step that came to its end, in the order of the ends."""
    begun: dict[tuple[str, str], Mapping[str, Any]] = {}
    for record in records:
        if record.kind == Kind.STEP_INTENDED:
            begun[record.body["run"], record.body["step"]] = record.body
        elif record.kind == Kind.STEP_FINISHED and record.body["outcome"] in DONE:
            intent = begun.get((record.body["run"], record.body["step"]))
            if intent is not None:
                yield intent


def _after(plan: Plan, known: Standing, begun: Mapping[str, Any]) -> Standing:
    """The same after one more step is done."""
    source, target = begun["source"], begun["target"]
    match begun["block"]:
        case "settings.update":
            region, stores = pointed(plan, begun)
            return replace(known, uses={**known.uses, region: stores})
        case "loadbalancer.switch":
            return replace(known, admits=known.admits | {target})
        case "loadbalancer.drain":
            return replace(known, admits=known.admits - {source})
        case "dns.switch":
            return replace(known, serves=target)
        case block if BLOCKS[block].begins_writing and begun["component"] is not None:
            return replace(known, written={**known.written, begun["component"]: target})
    return known
