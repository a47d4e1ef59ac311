"""What a run would do if it were begun now, from the plan, the journal's earlier runs and what is seen; and what has moved since.

Rules: an expected time comes from earlier runs of the same step where there are any (their median), else it is an upper bound: the
block's limit, no longer than the window of its phase. What was seen is bound by digest; what can't be seen now is *unknown*, and said.
Never here: beginning anything.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from holdfast.conduct.runs import FAILOVER
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.blocks import Actor
from holdfast.plan.model import Phase, Plan
from holdfast.plan.people import Occasion, approvers
from holdfast.runbook.graph import PlannedStep, Runbook, critical_path, runbook

SCHEMA = "holdfast/foreseen/v1"
Mode = Literal["graceful", "ungraceful"]
_GROWTH = 2.0
"""A size that doubled or halved makes the expected times worthless."""
_SMALL_BYTES, _SMALL_COUNT = 64 * 1024 * 1024, 1000
_DONE = ("succeeded", "settled")


@dataclass(frozen=True, slots=True)
class World:
    """What the times and the steps rest on. Values are None where nothing could be seen."""

    plan_digest: str
    serving: str
    era: int
    epoch: int
    versions: Mapping[str, str | None]
    """`region/function` → image."""
    sizes: Mapping[str, int | None]
    """`region/what` → bytes, or a count of objects or keys."""


@dataclass(frozen=True, slots=True)
class ForeseenStep:
    """One step as it is expected."""

    step: str
    phase: str
    block: str
    component: str | None
    does: str
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
    may_lose_seconds: float | None
    digest: str


def earlier_seconds(records: Iterable[Record]) -> dict[str, list[float]]:
    """Step → how long each earlier run of the failover took for it: from its first intent to its last outcome, when that was good.

    People's answers are measured from the moment when they were asked.
    """
    begun: dict[tuple[str, str], float] = {}
    took: dict[tuple[str, str], float] = {}
    for record in records:
        body = record.body
        if body.get("run") != FAILOVER or "step" not in body:
            continue
        key = (record.incident, str(body["step"]))
        if record.kind in (Kind.STEP_INTENDED, Kind.PROPOSED):
            begun.setdefault(key, record.at_seconds)
        elif record.kind == Kind.STEP_FINISHED and body["outcome"] in _DONE and key in begun:
            took[key] = record.at_seconds - begun[key]
    found: dict[str, list[float]] = {}
    for (_, step), seconds in took.items():
        found.setdefault(step, []).append(seconds)
    return found


def _window_seconds(phases: Sequence[Phase]) -> float | None:
    end = max(phase.window[1] for phase in phases)
    return end if math.isfinite(end) else None


def foresee(
    plan: Plan, scenario: str, mode: Mode, world: World, records: Iterable[Record], now: float, *, occasion: Occasion, loss: float | None
) -> Foreseen:
    """The run of a scenario's phases from the region that serves to the other one. `loss`: the bound in seconds that holds now."""
    phases = plan.scenarios[scenario].phases
    book, earlier = runbook(phases), earlier_seconds(records)
    answer_seconds = plan.approval.activation.answer_within
    expected = {step.id: _expected(step, earlier.get(step.id, ()), answer_seconds) for step in book.steps}
    length, path = critical_path(book, expected)
    target = next(name for name in plan.regions if name != world.serving)
    steps = tuple(_step(book, step, expected[step.id], len(earlier.get(step.id, ())), path, world.serving) for step in book.steps)
    rule = plan.approval.activation
    people = list(approvers(plan, rule, occasion))
    approval = {"count": rule.count, "roles": list(rule.of), "people": people, "answer_within_seconds": rule.answer_within}
    return Foreseen(
        schema=SCHEMA,
        scenario=scenario,
        mode=mode,
        source=world.serving,
        target=target,
        made_seconds=now,
        world=world,
        expected_seconds=length,
        critical_path=path,
        window_seconds=_window_seconds(phases),
        steps=steps,
        approval=approval,
        may_lose_seconds=0.0 if mode == "graceful" else loss,
        digest=digest_of(world, scenario, mode),
    )


def _expected(step: PlannedStep, earlier: Sequence[float], answer_seconds: float) -> float:
    if earlier:
        return median(earlier)
    if step.block.name == "approve":
        return answer_seconds
    if step.block.name in ("assess", "notify"):
        return 0.0
    return min(step.time_limit_seconds, step.patience_seconds)


def _step(book: Runbook, step: PlannedStep, seconds: float, runs: int, path: Sequence[str], source: str) -> ForeseenStep:
    way = book.ways.get(step.id)
    other = None if way is None else {"when": way.when, "steps": [{"step": one.id, "block": one.block.name} for one in way.steps]}
    return ForeseenStep(
        step=step.id,
        phase=step.phase,
        block=step.block.name,
        component=step.component,
        does=step.block.summary,
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


def digest_of(world: World, scenario: str, mode: str) -> str:
    """SHA-256 (hex) over what was seen and what is to be done."""
    canonical = json.dumps([asdict(world), scenario, mode], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def moved(before: World, now: World, needed: Iterable[str]) -> tuple[str, ...]:
    """What is not as it was, a sentence each. `needed`: regions that must be seen; what is unknown elsewhere is let pass."""
    sentences = [
        f"{what} is {new}, it was {old}"
        for what, old, new in (
            ("the plan's digest", before.plan_digest[:12], now.plan_digest[:12]),
            ("the region that serves", before.serving, now.serving),
            ("the epoch", f"{before.era}.{before.epoch}", f"{now.era}.{now.epoch}"),
        )
        if old != new
    ]
    regions = tuple(f"{region}/" for region in needed)
    for name, old_version in before.versions.items():
        version = now.versions.get(name)
        if version is None and old_version is not None and name.startswith(regions):
            sentences.append(f"the version of {name} can't be seen now; it was {old_version}")
        elif version is not None and version != old_version:
            sentences.append(f"the version of {name} is {version}, it was {old_version or 'not seen'}")
    for name, old_size in before.sizes.items():
        size = now.sizes.get(name)
        if size is None and old_size is not None and name.startswith(regions):
            sentences.append(f"the size of {name} can't be seen now; it was {old_size}")
        elif size is not None and old_size is not None and _other_size(name, old_size, size):
            sentences.append(f"the size of {name} is {size}, it was {old_size}: the expected times no longer hold")
    return tuple(sentences)


def _other_size(name: str, old: int, new: int) -> bool:
    small = _SMALL_BYTES if name.endswith("bytes") else _SMALL_COUNT
    low, high = max(min(old, new), small), max(old, new, small)
    return high > low * _GROWTH


def as_json(foreseen: Foreseen) -> dict[str, Any]:
    """The file's value."""
    return asdict(foreseen)


def world_of(value: Mapping[str, Any]) -> tuple[World, str, Mode]:
    """World, scenario and mode out of a file's value. Raises ValueError for one that is no such file, or that was changed."""
    try:
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is {value['schema']!r}, not {SCHEMA!r}")
        world, scenario, mode = World(**value["world"]), str(value["scenario"]), value["mode"]
        if mode not in ("graceful", "ungraceful"):
            raise ValueError(f"its mode is {mode!r}")
        if digest_of(world, scenario, mode) != value["digest"]:
            raise ValueError("it was changed after it was made: its digest is another one")
    except (KeyError, TypeError) as error:
        raise ValueError(f"it lacks or garbles a field: {error!r}") from error
    return world, scenario, mode
