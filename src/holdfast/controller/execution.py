"""Carrying out one attempt at one step: look, act, prove. Bounded in time; a time-out is *unknown*, never a failure.

Never here: the journal (the loop has recorded the intent before, and records what is returned), or any retry (the runbook's).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.ports.action import Action, Answer, Finding, Outcome, Result, Task
from holdfast.ports.clock import Clock

LOOK_SECONDS = 5.0
"""Bound of one look: it reads only, so it may always be asked again."""
VERIFY_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one attempt came to. `checked` and `verified`: what the looks before and after said."""

    outcome: str
    detail: str
    checked: str
    verified: str
    facts: Mapping[str, Any] = field(default_factory=dict)


async def _bounded(look: Callable[[Task], Awaitable[Finding]], task: Task, seconds: float) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            return await look(task)
    except TimeoutError:
        return Finding(Answer.UNKNOWN, f"no answer within {seconds:.1f} s")
    except (ConnectionError, OSError) as error:
        return Finding(Answer.UNKNOWN, f"can't be reached: {error}")


async def _acted(action: Action, task: Task, seconds: float) -> Outcome:
    try:
        async with asyncio.timeout(seconds):
            return await action.act(task)
    except TimeoutError:
        return Outcome(Result.UNKNOWN, f"no answer within {seconds:.0f} s: it may or may not have happened")
    except (ConnectionError, OSError) as error:
        return Outcome(Result.UNKNOWN, f"the connection was lost: {error}: it may or may not have happened")


async def _verified(action: Action, task: Task, clock: Clock, until_seconds: float) -> Finding:
    """Look until the effect is proved or the step's time is over: a promoted server may need a moment to answer."""
    while True:
        left = until_seconds - clock.steady_seconds()
        finding = await _bounded(action.verify, task, max(min(LOOK_SECONDS, left), VERIFY_PAUSE_SECONDS))
        if finding.answer is Answer.YES or clock.steady_seconds() + VERIFY_PAUSE_SECONDS >= until_seconds:
            return finding
        await clock.sleep(VERIFY_PAUSE_SECONDS)


async def prove(action: Action, task: Task, clock: Clock, time_limit_seconds: float) -> StepResult:
    """Another way was gone instead of this step: nothing is done, only proved, by the very proof that the step itself must pass."""
    proof = await _verified(action, task, clock, clock.steady_seconds() + time_limit_seconds)
    word = {Answer.YES: "succeeded", Answer.NO: "failed", Answer.UNKNOWN: "unknown"}[proof.answer]
    said = "proved" if proof.answer is Answer.YES else "not proved"
    return StepResult(word, f"the other way is {said}: {proof.detail}", "unknown", proof.answer.value, proof.facts)


async def carry_out(action: Action, task: Task, clock: Clock, time_limit_seconds: float, *, look_only: bool) -> StepResult:
    """One attempt. An effect that is there already isn't brought about again, only proved. `look_only`: never act."""
    until = clock.steady_seconds() + time_limit_seconds
    check = await _bounded(action.check, task, min(LOOK_SECONDS, time_limit_seconds))
    facts: dict[str, Any] = dict(check.facts)
    detail = f"it was so already: {check.detail}"
    if check.answer is not Answer.YES:
        if look_only:
            if check.answer is Answer.UNKNOWN:
                return StepResult("unknown", check.detail, check.answer.value, "unknown", facts)
            look_only = False  # It certainly didn't happen, so it may be done.
        outcome = await _acted(action, task, max(until - clock.steady_seconds(), VERIFY_PAUSE_SECONDS))
        facts |= outcome.facts
        detail = outcome.detail
        if outcome.result is not Result.SUCCEEDED:
            return StepResult(outcome.result.value, outcome.detail, check.answer.value, "unknown", facts)
    proof = await _verified(action, task, clock, until)
    facts |= proof.facts
    if proof.answer is Answer.YES:
        outcome_word = "settled" if check.answer is Answer.YES else "succeeded"
        return StepResult(outcome_word, f"{detail}; proved: {proof.detail}", check.answer.value, "yes", facts)
    word = "failed" if proof.answer is Answer.NO else "unknown"
    return StepResult(word, f"{detail}; but not proved: {proof.detail}", check.answer.value, proof.answer.value, facts)
