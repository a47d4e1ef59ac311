"""How close a failover of many functions comes to what no order could beat: the longest chain of steps that wait for each other.

Run: python -m bench.makespan [--quick | FUNCTIONS ...] (5, 50, 500; quick: 5, 50). Every function has a step of its own that takes between
1 and 20 seconds and waits for up to two others that it depends on. The production controller runs the plan in virtual time over the
simulated world, so the makespan holds every pause that the controller itself makes. Beside it: what all of it, world and clients too, took
of one core.

The lower bound (critical path method) adds up what the steps of the longest chain took in that very run (the added ones: as drawn). So what
is above it is only the time between steps, the controller's own: a step that the controller itself made slow would not show.
Exit code 1 when a makespan is more than 5 % above its lower bound.
"""

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.loader import LoadedPlan, load
from holdfast.plan.model import Phase, Plan, Step
from holdfast.ports.action import Action, Answer, Finding, Outcome, Result, Task
from holdfast.runbook.graph import critical_path, runbook
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.exercise import Exercise
from holdfast.simulation.stage import Stage, StageSettings

PLAN = Path(__file__).resolve().parents[1] / "examples" / "voicehive" / "plan.yaml"
BLOCK = "application.scale"
MOST_OVER = 0.05
_SECONDS = (1.0, 20.0)
_BEFORE = "promote-database"
_AFTER = "switch-dns"


class Timed:
    """A block whose added steps take as long as was drawn for them; their checks and proofs take no time."""

    def __init__(self, stage: Stage, seconds: dict[str, float], otherwise: Action) -> None:
        self._stage, self._seconds, self._otherwise, self._done = stage, seconds, otherwise, set[str]()

    async def check(self, task: Task) -> Finding:
        if task.step not in self._seconds:
            return await self._otherwise.check(task)
        return Finding(Answer.YES if task.step in self._done else Answer.NO, "as drawn")

    async def act(self, task: Task) -> Outcome:
        if task.step not in self._seconds:
            return await self._otherwise.act(task)
        await self._stage.clock.sleep(self._seconds[task.step])
        self._done.add(task.step)
        return Outcome(Result.SUCCEEDED, "as drawn")

    async def verify(self, task: Task) -> Finding:
        return await self.check(task) if task.step in self._seconds else await self._otherwise.verify(task)


@dataclass(frozen=True)
class Measured:
    """One run. Virtual seconds, but `computing_seconds`: of one core."""

    functions: int
    steps: int
    makespan_seconds: float
    bound_seconds: float
    computing_seconds: float

    @property
    def over(self) -> float:
        return self.makespan_seconds / self.bound_seconds - 1


def with_functions(loaded: LoadedPlan, count: int, seed: int) -> tuple[LoadedPlan, dict[str, float]]:
    """The reference plan with so many functions, each with a step between promotion and DNS; and how long each of them takes."""
    draw = random.Random(seed)
    plan = loaded.plan
    pattern = list(plan.functions.values())
    names = [f"function-{number}" for number in range(count)]
    functions = {name: pattern[number % len(pattern)].model_copy(update={"name": name}) for number, name in enumerate(names)}
    seconds, steps = {}, []
    for number, function in enumerate(functions):
        name = f"start-{function}"
        seconds[name] = draw.uniform(*_SECONDS)
        earlier = draw.sample(range(number), k=min(number, draw.randint(0, 2)))
        after = tuple(f"start-function-{other}" for other in earlier) or (_BEFORE,)
        written = {"id": name, "block": BLOCK, "component": "application", "after": after, "time_limit": "10m"}
        steps.append(Step.model_validate({**written, "parameters": {"replicas": 1}}))
    changed = plan.model_copy(update={"functions": functions, "messages": {}, "scenarios": _scenarios(plan, steps)})
    return replace(loaded, plan=changed), seconds


def _scenarios(plan: Plan, added: Sequence[Step]) -> dict[str, object]:
    scenario = plan.scenarios["regional-outage"]
    phases = [_phase(phase, added) for phase in scenario.phases]
    return {"regional-outage": scenario.model_copy(update={"phases": tuple(phases)})}


def _phase(phase: Phase, added: Sequence[Step]) -> Phase:
    """The functions' steps join the phase of the promotion; traffic waits for all of them."""
    steps = [step for step in phase.steps if step.block != "notify"]
    names = tuple(step.id for step in added)
    steps = [step.model_copy(update={"after": (*(step.after or ()), *names)}) if step.id == _AFTER else step for step in steps]
    enough = {name.removeprefix("start-"): 8 for name in names}
    steps = [step.model_copy(update={"parameters": {"replicas": enough}}) if step.block == BLOCK else step for step in steps]
    if any(step.id == _BEFORE for step in steps):
        steps += added
    return phase.model_copy(update={"steps": tuple(steps)})


async def _failover(loaded: LoadedPlan, seconds: dict[str, float], found: list[Record]) -> None:
    stage: Stage
    timed: list[Timed] = []

    def wrap(block: str, action: Action) -> Action:
        if block != BLOCK:
            return action
        if not timed:
            timed.append(Timed(stage, seconds, action))
        return timed[0]

    stage = Stage(StageSettings(loaded, clients_every_seconds=5.0), wrap)
    played = Exercise(stage)
    stage.begin()
    try:
        await played.until("the controller runs", lambda: stage.controller is not None, 60.0)
        await stage.clock.sleep(5.0)
        stage.world.links.cut(stage.world.home)
        await played.until("the failover is over", lambda: played.incident_is("recovered", "needs-person"), 3600.0)
        found += stage.disk.records
        waiting = [record.body["reason"] for record in found if record.kind == Kind.STEP_WAITING]
        if waiting:
            raise RuntimeError(f"a step of the failover needs a person, so nothing was measured: {waiting[-1]}")
    finally:
        await stage.end()


def measured(loaded: LoadedPlan, count: int, seed: int = 1) -> Measured:
    """One failover of so many functions."""
    changed, seconds = with_functions(loaded, count, seed)
    records: list[Record] = []
    begun = time.process_time()
    run_virtual(lambda: _failover(changed, seconds, records))
    computing = time.process_time() - begun
    book = runbook(changed.plan.scenarios["regional-outage"].phases)
    starts: dict[str, float] = {}
    ends: dict[str, float] = {}
    for record in records:
        if record.body.get("run") == "failover" and record.kind == Kind.STEP_INTENDED:
            starts.setdefault(record.body["step"], record.at_seconds)
        elif record.body.get("run") == "failover" and record.kind == Kind.STEP_FINISHED:
            ends[record.body["step"]] = record.at_seconds
    took = {step.id: seconds.get(step.id, ends[step.id] - starts[step.id]) for step in book.steps}
    bound, _ = critical_path(book, took)
    return Measured(count, len(book.steps), max(ends.values()) - min(starts.values()), bound, computing)


def main() -> int:
    quick = "--quick" in sys.argv[1:]
    counts = [int(word) for word in sys.argv[1:] if word != "--quick"] or ([5, 50] if quick else [5, 50, 500])
    loaded = load(PLAN)
    print(f"{'functions':>9}{'steps':>7}{'makespan':>12}{'lower bound':>13}{'above it':>10}{'computing':>12}")
    over = 0.0
    for count in counts:
        one = measured(loaded, count)
        over = max(over, one.over)
        row = f"{one.functions:9}{one.steps:7}{one.makespan_seconds:10.2f} s{one.bound_seconds:11.2f} s{100 * one.over:8.1f} %"
        print(f"{row}{one.computing_seconds:10.1f} s", flush=True)
    print("the lower bound is made of what the plan's own steps took in the same run: only gaps between steps show above it")
    return int(over > MOST_OVER)


if __name__ == "__main__":
    sys.exit(main())
