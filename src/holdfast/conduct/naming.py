"""The state in which an abort leaves every component, in words: after a run was turned back, and after one was halted.

Rules:
- What the run does not move is as it was. What it moves is named by what its own steps did, and by what became of undoing them.
- What nobody could tell a region is said, not guessed.

Never here: what is undone (see `undoing`), or where things stood before (see `standing`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.conduct.runs import (
    FAILOVER,
    REPROTECT,
    TURN_BACK,
    intended,
    moves_writers,
    phases_of,
    regions_of_run,
    since_start,
)
from holdfast.conduct.standing import DONE, Standing, before, pointed, settings
from holdfast.conduct.undoing import steps, undo_id
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from holdfast.plan.parameters import region_of
from holdfast.runbook.graph import runbook
from holdfast.runbook.progress import StepState

AS_IT_WAS = "as it was"
IN_FLIGHT = "begun, not proved"
_WRITERS = ("postgres", "redis")
_States = dict[str, dict[str, str]]
"""Component → region → its state."""


def _in_order(plan: Plan, name: Callable[[str], Mapping[str, str]]) -> _States:
    """Every component's states. Regions never swap places."""
    found = {component: name(component) for component in plan.components}
    return {component: {region: states[region] for region in plan.regions} for component, states in found.items()}


def _moves(plan: Plan, incident: IncidentState, run: str) -> dict[str, frozenset[str]]:
    """Component → the blocks that the plan's run acts on it with, on its first way or another."""
    found: dict[str, set[str]] = {}
    for step in runbook(phases_of(plan, incident.scenario, run)).all_steps:
        if step.component is not None:
            found.setdefault(step.component, set()).add(step.block.name)
    return {component: frozenset(blocks) for component, blocks in found.items()}


# -- turned back --------------------------------------------------------------------------------------------------------------


def turned_back(plan: Plan, incident: IncidentState, run: str, done: Mapping[str, StepState]) -> _States:
    """The states after `run` was turned back. `done`: how each undoing step ended; empty before it began, when all are taken to succeed."""
    if run == REPROTECT:
        stood = before(plan, incident, run)
        return _in_order(plan, lambda name: _reprotected(plan, incident, stood, name))
    undone = {one.id: done.get(one.id, StepState.SUCCEEDED) is StepState.SUCCEEDED for one in steps(plan, incident, run, None)}
    begun = tuple(record.body for record in intended(incident, run))
    left = _Left(plan, incident, run, before(plan, incident, run), begun, done, undone)
    moved = _moves(plan, incident, run)
    return _in_order(plan, lambda name: left.states(name, moved.get(name, frozenset())))


def _reprotected(plan: Plan, incident: IncidentState, known: Standing, name: str) -> Mapping[str, str]:
    source, target = regions_of_run(incident, REPROTECT)
    kind = plan.components[name].kind
    moved = {
        "dns": known.serves == target,
        "application": known.serves == target,
        "loadbalancer": known.serves == target and target in known.admits,
    }.get(kind, known.written.get(name) == target)
    return {target: "serves", source: "as reprotection left it"} if moved else {target: AS_IT_WAS, source: AS_IT_WAS}


@dataclass(frozen=True, slots=True)
class _Left:
    """What a run that was turned back left behind.

    `known`: how everything stood before it. `begun`: its first intents. `undone`: undoing step → whether it succeeded.
    """

    plan: Plan
    incident: IncidentState
    run: str
    known: Standing
    begun: tuple[Mapping[str, Any], ...]
    done: Mapping[str, StepState]
    undone: Mapping[str, bool]

    def states(self, name: str, blocks: frozenset[str]) -> Mapping[str, str]:
        """The states of a component that the run acts on with these blocks."""
        home, left = regions_of_run(self.incident, self.run)
        here, there = self._of_kind(self.plan.components[name].kind, name, blocks)
        return {home: here, left: there}

    def _of_kind(self, kind: str, name: str, blocks: frozenset[str]) -> tuple[str, str]:
        """Where service was before the run, and where the run was to bring it."""
        home, left = regions_of_run(self.incident, self.run)
        if kind in _WRITERS and self._moves_writers():
            told = self.done.get(f"withdraw-{home}", StepState.SUCCEEDED) is StepState.SUCCEEDED
            return ("writer" if told else "not told: fenced, or writer again once its agent answers"), "replica, never promoted"
        if kind == "bucket" and "bucket.activate" in blocks and self.known.written.get(name) == home:
            return ("written", "copy") if self._undone("bucket.activate") else ("not written again", "may still be written")
        if kind == "loadbalancer" and blocks & {"loadbalancer.switch", "loadbalancer.drain"}:
            return self._admits(home, "loadbalancer.drain", "still held back"), self._admits(
                left, "loadbalancer.switch", "may still admit traffic"
            )
        if kind == "dns" and "dns.switch" in blocks and self.known.serves == home:
            given_back = ("the names lead here", "no name leads here")
            return given_back if self._undone("dns.switch") else ("the names may not lead here", "the names may still lead here")
        if kind == "application":
            return self._application(home), self._application(left)
        return AS_IT_WAS, AS_IT_WAS

    def _moves_writers(self) -> bool:
        """Also of a run that the plan doesn't know any more, whose epoch is withdrawn."""
        return moves_writers(self.plan, self.incident.scenario, self.run) or TURN_BACK in self.incident.epochs

    def _begun(self, block: str) -> tuple[Mapping[str, Any], ...]:
        return tuple(body for body in self.begun if body["block"] == block)

    def _undone(self, block: str) -> bool:
        """Whether every step of this block that was begun is undone, or nothing had to be undone."""
        return all(self.undone.get(undo_id(body["step"]), True) for body in self._begun(block))

    def _admits(self, region: str, block: str, otherwise: str) -> str:
        if not self._undone(block):
            return otherwise
        return "admits traffic" if region in self.known.admits else "admits none"

    def _application(self, region: str) -> str:
        home, left = regions_of_run(self.incident, self.run)
        resized = (body for body in self._begun("application.scale") if region_of(body["parameters"], home, left) == region)
        parts = [self._size(body["step"]) for body in resized]
        told = {"application.deploy": "version of the move", "application.fresh": "a second set of instances beside the first"}
        parts += [said for block, said in told.items() if region == left and self._begun(block)]
        parts += [self._settings(body) for body in self._begun("settings.update") if pointed(self.plan, body)[0] == region]
        return ", ".join(dict.fromkeys(part for part in parts if part)) or AS_IT_WAS

    def _size(self, step: str) -> str:
        if not self.undone.get(undo_id(step), False):
            return "left at the size that the move gave it"
        return "standby size" if self.run == FAILOVER else ""

    def _settings(self, begun: Mapping[str, Any]) -> str:
        region, stores = pointed(self.plan, begun)
        undone = self.undone.get(undo_id(begun["step"]))
        if undone is None:  # Nothing undoes it: it used these stores before, or nobody knows which.
            return "" if region in self.known.uses else f"uses {settings(stores)}"
        return "" if undone else f"may still use {settings(stores)}"


# -- halted -------------------------------------------------------------------------------------------------------------------


def halted(plan: Plan, incident: IncidentState, run: str) -> _States:
    """The states where nothing further begins after a promotion was ordered. The target stays the writer."""
    source, target = regions_of_run(incident, run)
    moved = _moves(plan, incident, run)
    steps_ = _Steps.of(incident, run)

    def named(name: str) -> Mapping[str, str]:
        kind, blocks = plan.components[name].kind, moved.get(name, frozenset())
        if kind == "application":
            return {target: _pointed_to(plan, incident, run, target, steps_), source: _pointed_to(plan, incident, run, source, steps_)}
        return {target: _halted_target(kind, blocks, steps_), source: _halted_source(kind, steps_)}

    return {name: dict(named(name)) for name in plan.components}


@dataclass(frozen=True, slots=True)
class _Steps:
    """Blocks of a run: those that are done, and those that are under way."""

    done: frozenset[str]
    in_flight: frozenset[str]

    @classmethod
    def of(cls, incident: IncidentState, run: str) -> "_Steps":
        """Of the run since it was started last."""
        mine = [r for r in since_start(incident, run) if r.kind in (Kind.STEP_INTENDED, Kind.STEP_FINISHED) and r.body["run"] == run]
        last = {record.body["step"]: record for record in mine}
        return cls(
            frozenset(r.body["block"] for r in mine if r.kind == Kind.STEP_FINISHED and r.body["outcome"] in DONE),
            frozenset(r.body["block"] for r in last.values() if r.kind == Kind.STEP_INTENDED),
        )

    def word(self, block: str, done: str, not_yet: str) -> str:
        """What is said of what this block brings about."""
        return done if block in self.done else IN_FLIGHT if block in self.in_flight else not_yet


def _halted_target(kind: str, blocks: frozenset[str], steps_: _Steps) -> str:
    if kind == "postgres":
        return "writer" if "postgres.promote" in steps_.done else "promotion ordered, not proved"
    if kind == "redis":
        return "writer" if "redis.promote" in steps_.done else "not proved to be the writer"
    said = {
        "bucket": ("bucket.activate", "written", "not activated"),
        "loadbalancer": ("loadbalancer.switch", "admits traffic", "admits none yet"),
        "dns": ("dns.switch", "the names lead here", "the names don't lead here yet"),
    }
    if kind not in said or said[kind][0] not in blocks:
        return AS_IT_WAS
    return steps_.word(*said[kind])


def _halted_source(kind: str, steps_: _Steps) -> str:
    return steps_.word(f"{kind}.reprotect", "replica", "fenced") if kind in _WRITERS else AS_IT_WAS


def _pointed_to(plan: Plan, incident: IncidentState, run: str, region: str, steps_: _Steps) -> str:
    """What is said of the application in a region: the run may point it at stores, of its own region or another."""
    source, target = regions_of_run(incident, run)
    for step in runbook(phases_of(plan, incident.scenario, run)).steps:
        if step.block.name == "settings.update" and region_of(step.parameters, source, target) == region:
            stores = pointed(plan, {"source": source, "target": target, "parameters": step.parameters})[1]
            where = "the stores of this region" if set(stores.values()) == {region} else settings(stores)
            return steps_.word(step.block.name, f"uses {where}", f"not pointed at {where} yet")
    return AS_IT_WAS
