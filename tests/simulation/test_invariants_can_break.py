"""A check that can't go red proves nothing: the product is broken in one place for each invariant, and that one must be named."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from holdfast.conduct import course
from holdfast.conduct.situation import LossBound
from holdfast.controller import loop
from holdfast.controller.loop import Controller
from holdfast.controller.watch import Watch
from holdfast.fencing.order import Order
from holdfast.fencing.promise import Timing
from holdfast.plan.loader import LoadedPlan
from holdfast.plan.model import Step
from holdfast.runbook import progress
from holdfast.runbook.progress import StepState
from holdfast.simulation import nemesis
from holdfast.simulation.exercise import exercise
from holdfast.simulation.invariants import InvariantBroken, Invariants
from holdfast.simulation.nemesis import torment
from holdfast.simulation.stage import Stage, StageSettings
from holdfast.simulation.stores import StoreRole
from simulation.playing import LOADED, PLAN, slow_copies, with_plan


def _watched(interfere: Callable[[Stage], None] = lambda _: None, loaded: LoadedPlan = LOADED, seed: int = 1) -> None:
    """An exercise with the invariants looked at after every event."""
    invariants = Invariants()

    def watch(stage: Stage) -> None:
        interfere(stage)
        invariants.watch(stage)

    exercise(StageSettings(loaded, seed=seed), watch, invariants.wrap)


def _first_after_approval(*identifiers: str) -> LoadedPlan:
    """The plan with these steps right after the approval."""
    scenario = PLAN.scenarios["regional-outage"]

    def moved(step: Step) -> Step:
        return step.model_copy(update={"after": ("approve",)}) if step.id in identifiers else step

    phases = tuple(phase.model_copy(update={"steps": tuple(map(moved, phase.steps))}) for phase in scenario.phases)
    return with_plan(scenarios={"regional-outage": scenario.model_copy(update={"phases": phases})})


def test_an_undisturbed_exercise_breaks_none() -> None:
    _watched(slow_copies)


def test_1_a_source_that_begins_to_write_again_is_seen() -> None:
    def comes_back(stage: Stage) -> None:
        async def later() -> None:
            while stage.world.regions[stage.world.dr].postgres.role is not StoreRole.WRITER:
                await stage.clock.sleep(0.1)
            stage.world.regions[stage.world.home].agent.fences = False

        stage.world.go_on(later())

    with pytest.raises(InvariantBroken, match=r"invariant 1: .* can be written in eu-west-1 and eu-central-1"):
        _watched(comes_back)


def test_2_a_source_that_goes_on_writing_is_seen() -> None:
    def no_fence(stage: Stage) -> None:
        stage.world.regions[stage.world.home].agent.fences = False

    with pytest.raises(InvariantBroken, match=r"invariant 2: the fence of eu-west-1 is said to stand since .* before its last write"):
        _watched(no_fence)


def test_2_grantors_that_count_their_promises_too_short_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timing, "wait_seconds", lambda _, ttl_seconds: 0.1 * ttl_seconds)
    with pytest.raises(InvariantBroken, match=r"invariant 2: (.* was promoted while|the fence of eu-west-1 is said to stand)"):
        for seed in range(5):
            _watched(seed=seed)


def test_2_a_policy_that_promotes_without_a_fence_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "forbidden", lambda *_: None)
    with pytest.raises(InvariantBroken, match="invariant 2: step promote-database was intended before the fence was confirmed"):
        _watched(loaded=_first_after_approval("promote-database"))


def test_3_orders_that_do_not_grow_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def constant(known: Any, incident: Any, run: str) -> Order:
        era, epoch = incident.epochs.get(run, (0, 1))
        return Order(era, epoch, known.term, 7)

    monkeypatch.setattr(course, "next_order", constant)
    with pytest.raises(InvariantBroken, match="invariant 3: "):
        _watched()


def test_5_a_bound_that_is_too_small_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watch, "_loss", lambda *_: LossBound(0.0, None))
    monkeypatch.setattr(loop, "held_to", lambda *_: {})  # else the effectors refuse to lose more than was approved
    with pytest.raises(InvariantBroken, match=r"invariant 5: .* lost .* s of acknowledged writes"):
        _watched(slow_copies)


def test_8_an_effect_before_its_intent_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(self: Any, situation: Any, move: Any) -> None:
        body = course.intent(situation, situation.installation.incidents[move.incident], move.run, move.step, move.attempt)
        self._tasks[move.run, move.step.id] = asyncio.create_task(self._step(situation, move, body))

    monkeypatch.setattr(Controller, "_begin", hasty)
    with pytest.raises(InvariantBroken, match=r"invariant 8: step .* no intent in the journal names"):
        _watched()


def test_9_traffic_that_moves_first_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "forbidden", lambda *_: None)
    with pytest.raises(InvariantBroken, match="invariant 9: step switch-dns was intended before the target was proved writable"):
        _watched(loaded=_first_after_approval("switch-dns"))


def test_9_a_name_that_leads_nowhere_is_seen() -> None:
    def unpublish(stage: Stage) -> None:
        async def soon() -> None:
            await stage.clock.sleep(3.0)
            stage.world.dns["voice"] = ""

        stage.world.go_on(soon())

    with pytest.raises(InvariantBroken, match="invariant 9: the name of voice leads nowhere"):
        _watched(unpublish)


def test_14_a_run_that_never_ends_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = progress.startable

    def forgetful(book: Any, now: Any, at_seconds: float) -> Any:
        """What a dead controller had begun is left alone."""
        known = {name: replace(step, state=StepState.RUNNING) if step.state is StepState.UNSETTLED else step for name, step in now.items()}
        return honest(book, known, at_seconds)

    monkeypatch.setattr(course, "startable", forgetful)
    monkeypatch.setattr(nemesis, "END_BOUND_SECONDS", 60.0)
    with pytest.raises(InvariantBroken, match="invariant 14: nothing ended within 60 s"):
        for seed in range(8):
            torment(StageSettings(LOADED, seed=seed, people_accept_loss=True))
