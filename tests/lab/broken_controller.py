"""The production controller with something wrong in it, for drills that must notice or survive it.

    python -m lab.broken_controller BREAK PLAN --scenario … --profile … --exercise … --lab … --output json

BREAK is one of
- `noop:BLOCK`         check says no, act says succeeded and does nothing, verify is the real one;
- `refuse:STEP`        the effector refuses this step, as one that knows a higher order does; looks and proofs are the real ones;
- `unseen:BLOCK`       the same, and verify says yes: only what clients measured can find it;
- `die:STEP@WHEN,…`    kill -9 of itself, once for each, when a step's intent is durable: `before` its effect, or `after` it and
  before its outcome. STEP `*` is every step that a provider carries out.

What it died of is noted in `died` beside the journal, so that the controller that takes over dies of something else.
"""

import argparse
import asyncio
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from holdfast.app_controller import Actions, run_controller
from holdfast.cli.reach import bindings_of
from holdfast.plan.loader import load
from holdfast.ports.action import Action, Answer, Finding, Outcome, Result, Task

DIED = "died"
EVERY = "*"


@dataclass(frozen=True)
class NoOp:
    """Says that it acted. `proof`: what verifies; None says yes without a look."""

    proof: Action | None

    async def check(self, task: Task) -> Finding:
        return Finding(Answer.NO, f"a block turned into a no-op looks at {task.target}")

    async def act(self, task: Task) -> Outcome:
        return Outcome(Result.SUCCEEDED, f"a block turned into a no-op says that {task.block} is done")

    async def verify(self, task: Task) -> Finding:
        if self.proof is not None:
            return await self.proof.verify(task)
        return Finding(Answer.YES, "a proof turned into a no-op says that all is well")


@dataclass(frozen=True)
class Refusing:
    """The real action, but one step is refused."""

    real: Action
    step: str

    async def check(self, task: Task) -> Finding:
        return await self.real.check(task)

    async def act(self, task: Task) -> Outcome:
        if task.step == self.step:
            return Outcome(Result.REFUSED, f"a test refuses {task.step}")
        return await self.real.act(task)

    async def verify(self, task: Task) -> Finding:
        return await self.real.verify(task)


@dataclass(frozen=True)
class Mortal:
    """The real action, but for the moments at which the whole controller is killed."""

    real: Action
    deaths: frozenset[str]
    died: Path

    async def check(self, task: Task) -> Finding:
        return await self.real.check(task)

    async def act(self, task: Task) -> Outcome:
        self._die(task, "before")
        outcome = await self.real.act(task)
        self._die(task, "after")
        return outcome

    async def verify(self, task: Task) -> Finding:
        return await self.real.verify(task)

    def _die(self, task: Task, when: str) -> None:
        if self.deaths.isdisjoint({f"{task.step}@{when}", f"{EVERY}@{when}"}):
            return
        moment = f"{task.step}@{when}"
        with self.died.open("a+", encoding="utf-8") as notes:
            notes.seek(0)
            if moment in notes.read().split():
                return
            notes.write(moment + "\n")
        os.kill(os.getpid(), signal.SIGKILL)


def broken(what: str, actions: Actions, state_directory: Path) -> Actions:
    """The actions with one thing wrong."""
    kind, _, subject = what.partition(":")
    if kind == "die":
        deaths = frozenset(subject.split(","))
        return {block: Mortal(action, deaths, state_directory / DIED) for block, action in actions.items()}
    if kind == "refuse":
        return {block: Refusing(action, subject) for block, action in actions.items()}
    assert kind in ("noop", "unseen")
    assert subject in actions, f"no such block: {subject}"
    return {**actions, subject: NoOp(actions[subject] if kind == "noop" else None)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what")
    parser.add_argument("plan", type=Path)
    for name in ("scenario", "profile", "exercise", "lab", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    bindings = bindings_of(Path(arguments.lab))
    asyncio.run(
        run_controller(
            load(arguments.plan),
            bindings,
            scenario=arguments.scenario,
            profile=arguments.profile,
            exercise=arguments.exercise,
            scale=arguments.scale,
            tell=lambda line: print(line.text, flush=True),
            through=lambda actions: broken(arguments.what, actions, bindings.state_directory),
        )
    )


if __name__ == "__main__":
    main()
