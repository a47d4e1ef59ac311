"""The moments that decided, there and on the way home: what the pictures mark, each with how far the other region followed then.

Rules: a moment that nobody recorded is left out, never guessed; a step that failed or was skipped moved nothing. Lag is what the newest
look at the copies said, plus the time since; null where nobody looked.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import BLOCKS, BlockSpecification
from holdfast.report.clients import Window, outage_in
from holdfast.report.criteria import lost_in_words
from holdfast.report.facts import ReportFacts
from holdfast.report.history import History, Run
from holdfast.report.model import FunctionResult, StepResult
from holdfast.report.seen import Event
from holdfast.report.steps import DONE
from holdfast.report.timing import Moments
from holdfast.report.wording import duration

_AGES: Mapping[Subject, str] = {
    Subject.POSTGRES: "heartbeat_age_seconds",
    Subject.REDIS: "lag_seconds",
    Subject.BUCKET: "copy_lag_seconds",
}
_COPIES = ("standby", "replica")
_LOOKED_SECONDS = 60.0
"""An older look says nothing about the lag at a moment."""
_LONG_AGO_SECONDS = 86_400.0
_TARGET_FOLLOWS = ("impact", "detected", "decided", "fenced", "turned-back", "return-followed")
_SOURCE_FOLLOWS = ("followed", "return-decided", "return-fenced", "return-turned-back")
_Moment = tuple[str, float | None, str]


def events(
    facts: ReportFacts,
    at: Moments,
    history: History,
    steps: Sequence[StepResult],
    functions: Sequence[FunctionResult],
    regions: tuple[str, str],
) -> tuple[Event, ...]:
    """All of them in order. `regions`: the source and the target of the failover."""
    told = [*_there(facts, at, history, steps, functions), *_home(facts, at, history, steps)]
    made_anew = {"followed": _begin(steps, "reprotect"), "return-followed": _begin(steps, "way-back")}
    followers = dict.fromkeys(_TARGET_FOLLOWS, regions[1]) | dict.fromkeys(_SOURCE_FOLLOWS, regions[0])
    found = [
        Event(
            name=name,
            seconds=seconds,
            sentence=f"{sentence}, {duration(seconds)} after impact",
            lag_seconds=lag_at(
                facts.observations, followers[name], at.impact + seconds, at.impact + (made_anew.get(name) or -_LONG_AGO_SECONDS)
            )
            if name in followers
            else None,
        )
        for name, seconds, sentence in told
        if seconds is not None
    ]
    return tuple(sorted(found, key=lambda event: event.seconds))


def _there(
    facts: ReportFacts, at: Moments, history: History, steps: Sequence[StepResult], functions: Sequence[FunctionResult]
) -> list[_Moment]:
    fence = history.first_of_run(Kind.FENCE_CONFIRMED, "failover")
    how = str(fence.body.get("how", "")).replace("-", " ") if fence else ""
    return [
        ("impact", 0.0, lost_in_words(facts, history) if history.marked_seconds("cut") is not None else "First failed request"),
        ("detected", _since(at, at.suspected), "First suspicion raised"),
        ("declared", _since(at, at.opened), "Incident opened"),
        ("decided", _since(at, at.decided), "Failover decided"),
        ("fenced", _since(at, at.fenced), f"Old writer fenced ({how})" if how else "Old writer fenced"),
        ("promoted", _end(steps, "failover", lambda block: block.grants_write), "The other region writes"),
        ("traffic", _end(steps, "failover", lambda block: block.moves_traffic), "Traffic moved"),
        ("turned-back", _turned_back(at, history, "failover"), "The failover was turned back"),
        ("served", _served(functions), "Every function served again"),
        ("recovered", _since(at, at.failover_ended), "Failover confirmed"),
    ]


def _home(facts: ReportFacts, at: Moments, history: History, steps: Sequence[StepResult]) -> list[_Moment]:
    decided = history.first_of_run(Kind.DECIDED, "way-back")
    fence = history.first_of_run(Kind.FENCE_CONFIRMED, "way-back")
    return [
        ("followed", _end(steps, "reprotect", lambda block: block.overwrites_source), "The old side follows"),
        ("return", _since(at, at.way_back_started), "Way back began"),
        ("return-decided", _since(at, decided.at_seconds if decided else None), "Way back decided"),
        ("return-fenced", _since(at, fence.at_seconds if fence else None), "DR's writer fenced"),
        ("return-promoted", _end(steps, "way-back", lambda block: block.grants_write), "Home writes again"),
        ("return-traffic", _end(steps, "way-back", lambda block: block.moves_traffic), "Traffic is home"),
        ("return-turned-back", _turned_back(at, history, "way-back"), "The way back was turned back"),
        ("return-served", _served_home(facts, at), "Every function served from home"),
        ("return-followed", _end(steps, "way-back", lambda block: block.overwrites_source), "DR follows again"),
    ]


def _served(functions: Sequence[FunctionResult]) -> float | None:
    """When the last function was back; None when one was never seen back, or none was away."""
    if any(function.rto_actual_seconds is None for function in functions):
        return None
    return max((seconds for function in functions if (seconds := function.recovered_seconds) is not None), default=None)


def _served_home(facts: ReportFacts, at: Moments) -> float | None:
    """When the last outage of the way back ended; None when there was none, one has not ended, or a function was not watched."""
    if at.way_back_started is None:
        return None
    window = Window(at.way_back_started, at.end + 1.0)
    seen = [outage_in(facts.ledgers.get(function, ()), window) for function in facts.plan.functions]
    if any(seconds is None for seconds, _, _ in seen):
        return None
    back = [outage.until_seconds for _, outage, _ in seen if outage is not None]
    return max((until - at.impact for until in back if until is not None), default=None)


def _turned_back(at: Moments, history: History, turned: Run) -> float | None:
    begun = history.last_of_run(Kind.RUN_STARTED, "turn-back")
    finished = history.last_of_run(Kind.RUN_FINISHED, "turn-back")
    if begun is None or finished is None or begun.body.get("of") != turned or finished.body.get("outcome") != "succeeded":
        return None
    return _since(at, finished.at_seconds)


def _since(at: Moments, moment_seconds: float | None) -> float | None:
    return None if moment_seconds is None else moment_seconds - at.impact


def _end(steps: Sequence[StepResult], run: Run, wanted: Callable[[BlockSpecification], bool]) -> float | None:
    """When the last step of this kind was done; None while one of them is not. Another way that was gone stands for its step."""
    mine = [step for step in steps if step.run == run and step.block in BLOCKS and wanted(BLOCKS[step.block])]
    stood_for = {step.instead_of for step in mine if step.instead_of}
    counted = [step for step in mine if step.outcome in DONE or step.step not in stood_for]
    ends = [step.ended_seconds if step.outcome in DONE else None for step in counted]
    return None if not ends or None in ends else max(end for end in ends if end is not None)


def _begin(steps: Sequence[StepResult], run: Run) -> float | None:
    """When a run began to make a copy anew: what was seen before says nothing about it."""
    mine = [step for step in steps if step.run == run and step.block in BLOCKS and BLOCKS[step.block].overwrites_source]
    return min((step.started_seconds for step in mine), default=None)


def lag_at(observations: Sequence[Observation], follower: str, at_seconds: float, not_before_seconds: float = -math.inf) -> float | None:
    """How far the worst of the follower's copies was behind at a moment (wall clock); None where nobody had looked for a minute.

    `not_before_seconds`: what was seen earlier counts for nothing."""
    newest: dict[tuple[Subject, str], Observation] = {}
    begin = max(at_seconds - _LOOKED_SECONDS, not_before_seconds)
    for look in observations:
        if look.region == follower and look.seen is Seen.UP and look.subject in _AGES and begin <= look.at_seconds <= at_seconds:
            known = newest.get((look.subject, look.name))
            if known is None or known.at_seconds < look.at_seconds:
                newest[look.subject, look.name] = look
    lags = []
    for (subject, _), look in newest.items():
        age = look.facts.get(_AGES[subject])
        if look.facts.get("role") in _COPIES and isinstance(age, int | float):
            lags.append(float(age) + at_seconds - look.at_seconds)
    return max(lags, default=None)
