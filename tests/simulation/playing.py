"""What the stories of simulated exercises share: the plan, a short way to play one, and a verdict that says its seed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast.plan.loader import LoadedPlan, load
from holdfast.plan.model import Phase
from holdfast.report.model import Report
from holdfast.simulation.exercise import Exercised, exercise
from holdfast.simulation.invariants import under_watch
from holdfast.simulation.stage import Stage, StageSettings

LOADED = load(Path(__file__).resolve().parents[2] / "examples/voicehive/plan.yaml")
PLAN = LOADED.plan
IMPATIENT_SECONDS = 30.0
"""Longer than a controller without memory waits before it consents."""


def with_plan(**changes: Any) -> LoadedPlan:
    """The reference plan with these parts replaced."""
    return replace(LOADED, plan=PLAN.model_copy(update=changes))


def with_targets(**targets: float) -> LoadedPlan:
    """The reference plan with every function's `rto` or `rpo` replaced."""
    return with_plan(functions={name: function.model_copy(update=targets) for name, function in PLAN.functions.items()})


def impatient() -> LoadedPlan:
    """The reference plan with little time and two attempts for each step, so that a broken one is given up soon."""

    def hurried(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        limits = {"time_limit": IMPATIENT_SECONDS, "attempts": 2}
        return tuple(phase.model_copy(update={"steps": tuple(step.model_copy(update=limits) for step in phase.steps)}) for phase in phases)

    scenarios = {
        name: scenario.model_copy(update={run: hurried(getattr(scenario, run)) for run in ("phases", "reprotect", "way_back")})
        for name, scenario in PLAN.scenarios.items()
    }
    return with_plan(scenarios=scenarios)


def on_first_ways_only(loaded: LoadedPlan) -> LoadedPlan:
    """The plan without any other way: a step that does not succeed has nobody but people."""

    def bare(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        return tuple(
            phase.model_copy(update={"steps": tuple(step.model_copy(update={"other_way": None}) for step in phase.steps)})
            for phase in phases
        )

    scenarios = {
        name: scenario.model_copy(update={run: bare(getattr(scenario, run)) for run in ("phases", "reprotect", "way_back")})
        for name, scenario in loaded.plan.scenarios.items()
    }
    return replace(loaded, plan=loaded.plan.model_copy(update={"scenarios": scenarios}))


def after_calm(story: Callable[[Stage], Awaitable[None]], *, profile: str = "fast", people_accept_loss: bool = False) -> Stage:
    """A story on a stage that has been calm for a while, with every invariant watched."""

    async def played(stage: Stage) -> Stage:
        await stage.clock.sleep(CALM_BEFORE_SECONDS)
        await story(stage)
        return stage

    return under_watch(StageSettings(LOADED, profile=profile, people_accept_loss=people_accept_loss), played)


def play(interfere: Callable[[Stage], None] = lambda _: None, seed: int = 1, loaded: LoadedPlan = LOADED) -> Exercised:
    """One exercise on the fast profile."""
    return exercise(StageSettings(loaded, seed=seed), interfere)


def told(exercised: Exercised, report: Report) -> str:
    """What a failing test says: the seed replays it."""
    return f"{exercised}: {report.verdict}: {'; '.join(report.reasons[:4])}"


CALM_BEFORE_SECONDS = 20.0
"""Before anything happens: longer than the wait of a controller without memory."""


async def until(stage: Stage, condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Let the stage live until something is so, bounded."""
    ends = stage.clock.steady_seconds() + seconds
    while not condition():
        assert stage.clock.steady_seconds() < ends, f"{what}: not within {seconds:g} s"
        await stage.clock.sleep(0.05)
        stage.check()


def slow_copies(stage: Stage) -> None:
    """Copies in DR are a second behind, so that a lost region takes acknowledged writes with it."""
    region = stage.world.regions[stage.world.dr]
    region.postgres.lag_seconds = region.redis.lag_seconds = 1.0
