"""What a run would do if it were begun now, from the plan, the journal's earlier runs and what is seen.

Rules: an expected time comes from earlier runs of the same step where there are any (their median), else it is an upper bound: the
block's limit, no longer than the window of its phase. What was seen is bound by digest; what can't be seen now is *unknown*, and said.
Never here: beginning anything.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any, Literal

from holdfast.conduct.changes import Change, changes, spoken
from holdfast.conduct.runs import FAILOVER, REPROTECT, WAY_BACK, copies_moved, is_carried_out_by_people, moves_writers, phases_of
from holdfast.conduct.world import Copy, World, world_from, worst_loss
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.model import ApprovalRule, Phase, Plan
from holdfast.plan.parameters import region_of, replicas_of
from holdfast.plan.people import Occasion, approvers
from holdfast.runbook.graph import PlannedStep, Runbook, critical_path, runbook

SCHEMA = "holdfast/foreseen/v1"
Mode = Literal["graceful", "ungraceful"]
_DONE = ("succeeded", "settled")
_FORESEEN_RUNS = (FAILOVER, REPROTECT, WAY_BACK)


@dataclass(frozen=True, slots=True)
class ForeseenStep:
    """One step as it is expected."""

    step: str
    phase: str
    block: str
    component: str | None
    does: str
    parameters: Mapping[str, Any]
    """What the plan tells the block."""
    changes: tuple[Change, ...]
    """From what was seen to what will be; nothing for a step that only proves, tells or asks."""
    changes_in_words: str
    after: tuple[str, ...]
    expected_seconds: float
    earlier_runs: int
    """How many the time is the median of; 0: it is an upper bound."""
    critical: bool
    cannot_be_undone: str | None
    other_way: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A whole run as it is expected, bound to the world that it was made from."""

    schema: str
    scenario: str
    mode: str
    runs: tuple[str, ...]
    """The failover; or, away from home, reprotection and the way back."""
    source: str
    target: str
    made_seconds: float
    world: World
    expected_seconds: float
    critical_path: tuple[str, ...]
    window_seconds: float | None
    """None where the plan leaves the last window open."""
    steps: tuple[ForeseenStep, ...]
    approval: Mapping[str, Any]
    moves_writers: bool
    may_lose_seconds: float | None
    """None: can't be bounded. Where no writer moves, no store gives anything up."""
    not_now: tuple[str, ...]
    """Why a planned move would be refused as the world is; empty where nothing speaks against it."""
    digest: str


def earlier_seconds(records: Iterable[Record], scenario: str, occasion: Occasion) -> dict[str, list[float]]:
    """Step → how long each earlier run of this scenario took for it: from its first intent to its last outcome, when that was good.

    People's answers are measured from the moment when they were asked, and count only where the occasion was the same: stand-ins in
    an exercise answer within a second.
    """
    begun: dict[tuple[str, str], float] = {}
    took: dict[tuple[str, str], float] = {}
    occasions: dict[str, Occasion] = {}
    for record in records:
        body = record.body
        if record.kind == Kind.INCIDENT_OPENED and body["scenario"] == scenario:
            occasions[record.incident] = Occasion.of(body["exercise"])
        if record.incident not in occasions or body.get("run") not in _FORESEEN_RUNS or "step" not in body:
            continue
        key = (record.incident, str(body["step"]))
        if record.kind in (Kind.STEP_INTENDED, Kind.PROPOSED):
            begun.setdefault(key, record.at_seconds)
        elif record.kind == Kind.STEP_FINISHED and body["outcome"] in _DONE and key in begun:
            by_people = body["block"] in BLOCKS and BLOCKS[body["block"]].actor is Actor.PERSON
            if not by_people or occasions[record.incident] is occasion:
                took[key] = record.at_seconds - begun[key]
    found: dict[str, list[float]] = {}
    for (_, step), seconds in took.items():
        found.setdefault(step, []).append(seconds)
    return found


def runs_to_come(plan: Plan, scenario: str, mode: Mode, serving: str) -> tuple[str, ...]:
    """The runs that beginning it now would go through: away from home it is the way home that a planned move takes."""
    return (REPROTECT, WAY_BACK) if mode == "graceful" and serving != plan.primary_region() else (FAILOVER,)


def _window_seconds(runs: Iterable[Sequence[Phase]]) -> float | None:
    end = sum(max((phase.window[1] for phase in phases), default=0.0) for phases in runs)
    return end if math.isfinite(end) else None


def foresee(
    plan: Plan,
    scenario: str,
    mode: Mode,
    world: World,
    records: Iterable[Record],
    now: float,
    *,
    occasion: Occasion,
    held_back: Sequence[str] = (),
) -> Foreseen:
    """What would be run now, from the region that serves to the other one. `held_back`: what keeps a planned move there from beginning."""
    runs = runs_to_come(plan, scenario, mode, world.serving)
    target = next(name for name in plan.regions if name != world.serving)
    world = _concerned(plan, scenario, runs, world)
    earlier = earlier_seconds(records, scenario, occasion)
    rule = plan.approval.way_back if WAY_BACK in runs and plan.approval.way_back is not None else plan.approval.activation
    length = 0.0
    path: tuple[str, ...] = ()
    steps: list[ForeseenStep] = []
    for run in runs:
        phases = phases_of(plan, scenario, run)
        book = runbook(phases)
        expected = {step.id: _expected(step, earlier.get(step.id, ()), rule.answer_within) for step in book.steps}
        took, chain = critical_path(book, expected)
        length, path = length + took, (*path, *chain)
        regions = _regions(run, world.serving, target)
        for step in book.steps:
            changed = changes(plan, step, world, *regions)
            steps.append(_step(book, step, expected[step.id], len(earlier.get(step.id, ())), chain, regions[0], changed))
    moves = any(moves_writers(plan, scenario, run) for run in runs)
    foreseen = Foreseen(
        schema=SCHEMA,
        scenario=scenario,
        mode=mode,
        runs=runs,
        source=world.serving,
        target=target,
        made_seconds=now,
        world=world,
        expected_seconds=length,
        critical_path=path,
        window_seconds=_window_seconds(phases_of(plan, scenario, run) for run in runs),
        steps=tuple(steps),
        approval=_approval(plan, scenario, rule, occasion),
        moves_writers=moves,
        may_lose_seconds=worst_loss(world) if moves and mode == "ungraceful" else 0.0,
        not_now=tuple(held_back) if runs == (FAILOVER,) and mode == "graceful" else (),
        digest="",
    )
    return replace(foreseen, digest=digest_of(as_json(foreseen)))


def _regions(run: str, serving: str, other: str) -> tuple[str, str]:
    """Source and target of a run. Reprotection is told from the point of view of the failover before it."""
    return (other, serving) if run == REPROTECT else (serving, other)


def _approval(plan: Plan, scenario: str, rule: ApprovalRule, occasion: Occasion) -> dict[str, Any]:
    """Who must approve; nobody where the scenario asks for no approval, since people carry it out themselves."""
    if is_carried_out_by_people(plan, scenario):
        return {"count": 0, "roles": [], "people": [], "answer_within_seconds": 0.0}
    people = list(approvers(plan, rule, occasion))
    return {"count": rule.count, "roles": list(rule.of), "people": people, "answer_within_seconds": rule.answer_within}


def _concerned(plan: Plan, scenario: str, runs: Sequence[str], world: World) -> World:
    """The world as far as these runs are about it: what they leave alone may change without making anything untrue."""
    other = next(name for name in plan.regions if name != world.serving)
    copies = dict.fromkeys(name for run in runs for name in copies_moved(plan, scenario, run))
    sized: set[str] = set()
    named = False
    for run in runs:
        for step in (one for phase in phases_of(plan, scenario, run) for one in phase.steps):
            named = named or step.block == "dns.switch"
            if step.block == "application.scale":
                region = region_of(step.parameters, *_regions(run, world.serving, other))
                sized |= {f"{region}/{function}" for function in replicas_of(step.parameters, plan.functions)}
    return replace(
        world,
        copies={name: world.copies.get(name) or Copy(plan.components[name].name, other, None, None, None, None) for name in copies},
        instances={name: count for name, count in world.instances.items() if name in sized},
        names=world.names if named else {},
    )


def _expected(step: PlannedStep, earlier: Sequence[float], answer_seconds: float) -> float:
    if earlier:
        return median(earlier)
    if step.block.name == "approve":
        return answer_seconds
    if step.block.name in ("assess", "notify"):
        return 0.0
    return min(step.time_limit_seconds, step.patience_seconds)


def _step(
    book: Runbook, step: PlannedStep, seconds: float, runs: int, path: Sequence[str], source: str, changed: tuple[Change, ...]
) -> ForeseenStep:
    way = book.ways.get(step.id)
    other = None if way is None else {"when": way.when, "steps": [{"step": one.id, "block": one.block.name} for one in way.steps]}
    return ForeseenStep(
        step=step.id,
        phase=step.phase,
        block=step.block.name,
        component=step.component,
        does=step.block.summary,
        parameters=dict(step.parameters),
        changes=changed,
        changes_in_words=spoken(changed),
        after=step.after,
        expected_seconds=round(seconds, 3),
        earlier_runs=runs,
        critical=step.id in path,
        cannot_be_undone=_not_undone(step, source),
        other_way=other,
    )


def _not_undone(step: PlannedStep, source: str) -> str | None:
    if step.block.removes_write:
        return f"{source} stops writing; requests in hand are broken off"
    if step.block.grants_write:
        return f"what only {source} holds by then is no longer in the data; going back is a planned return"
    if step.block.name == "notify":
        return "what was told can't be taken back"
    return "what it replaces is gone" if step.block.actor is Actor.PROVIDER and step.block.name == "application.deploy" else None


def digest_of(value: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over everything that the file says, but the digest itself: what was seen, and what people were shown."""
    said = {name: entry for name, entry in value.items() if name != "digest"}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def as_json(foreseen: Foreseen) -> dict[str, Any]:
    """The file's value."""
    return asdict(foreseen)


def world_of(value: Mapping[str, Any]) -> tuple[World, str, Mode]:
    """World, scenario and mode out of a file's value. Raises ValueError for one that is no such file, or that was changed."""
    try:
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is {value['schema']!r}, not {SCHEMA!r}")
        world, scenario, mode = world_from(value["world"]), str(value["scenario"]), value["mode"]
        if mode not in ("graceful", "ungraceful"):
            raise ValueError(f"its mode is {mode!r}")
        if digest_of(value) != value["digest"]:
            raise ValueError("it was changed after it was made: its digest is another one")
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks or garbles a field: {error!r}") from error
    return world, scenario, mode
