"""The moments that decided, there and on the way home: what the pictures mark, each with how far the other region followed then.

Rules: a moment that nobody recorded is left out, never guessed. Lag is what the newest look at the copies said, plus the time since; null
where nobody looked.
"""

from collections.abc import Callable, Mapping, Sequence

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.journal.kinds import Kind
from holdfast.ledger.entry import LedgerEntry
from holdfast.plan.blocks import BLOCKS, BlockSpecification
from holdfast.report.clients import Window, outage_in
from holdfast.report.history import History
from holdfast.report.model import Event, FunctionResult, StepResult
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
_Moment = tuple[str, float | None, str]


def events(
    at: Moments,
    history: History,
    steps: Sequence[StepResult],
    functions: Sequence[FunctionResult],
    ledgers: Mapping[str, Sequence[LedgerEntry]],
    observations: Sequence[Observation],
    follower: str,
) -> tuple[Event, ...]:
    """All of them in order. `follower`: the region that followed before it happened."""
    told = [*_there(at, history, steps, functions), *_home(at, history, steps, ledgers)]
    found = [
        Event(
            name=name,
            seconds=seconds,
            sentence=f"{sentence}, {duration(seconds)} after impact",
            lag_seconds=_lag(observations, follower, at.impact + seconds) if name in ("impact", "detected", "decided") else None,
        )
        for name, seconds, sentence in told
        if seconds is not None
    ]
    return tuple(sorted(found, key=lambda event: event.seconds))


def _there(at: Moments, history: History, steps: Sequence[StepResult], functions: Sequence[FunctionResult]) -> list[_Moment]:
    fence = history.first_of_run(Kind.FENCE_CONFIRMED, "failover")
    how = str(fence.body.get("how", "")).replace("-", " ") if fence else ""
    back = [function.recovered_seconds for function in functions if function.first_failed_seconds is not None]
    served = None if not back or None in back else max(seconds for seconds in back if seconds is not None)
    return [
        ("impact", 0.0, "The region was lost" if history.marked_seconds("cut") is not None else "First failed request"),
        ("detected", _since(at, at.suspected), "First suspicion raised"),
        ("declared", _since(at, at.opened), "Incident opened"),
        ("decided", _since(at, at.decided), "Failover decided"),
        ("fenced", _since(at, at.fenced), f"Old writer fenced ({how})" if how else "Old writer fenced"),
        ("promoted", _end(steps, "failover", lambda block: block.grants_write), "The other region writes"),
        ("traffic", _end(steps, "failover", lambda block: block.moves_traffic), "Traffic moved"),
        ("served", served, "Every function served again"),
        ("recovered", _since(at, at.failover_ended), "Failover confirmed"),
    ]


def _home(at: Moments, history: History, steps: Sequence[StepResult], ledgers: Mapping[str, Sequence[LedgerEntry]]) -> list[_Moment]:
    if at.way_back_started is None:
        return []
    decided = history.first_of_run(Kind.DECIDED, "way-back")
    fence = history.first_of_run(Kind.FENCE_CONFIRMED, "way-back")
    return [
        ("return", _since(at, at.way_back_started), "Way back began"),
        ("return-decided", _since(at, decided.at_seconds if decided else None), "Way back decided"),
        ("return-fenced", _since(at, fence.at_seconds if fence else None), "DR's writer fenced"),
        ("return-promoted", _end(steps, "way-back", lambda block: block.grants_write), "Home writes again"),
        ("return-traffic", _end(steps, "way-back", lambda block: block.moves_traffic), "Traffic is home"),
        ("return-served", _served_home(at, ledgers), "Every function served from home"),
    ]


def _served_home(at: Moments, ledgers: Mapping[str, Sequence[LedgerEntry]]) -> float | None:
    """When the last outage of the way back ended, or None when there was none or one has not ended."""
    window = Window(at.way_back_started or at.end, at.end + 1.0)
    worst = [outage for outage in (outage_in(entries, window)[1] for entries in ledgers.values()) if outage is not None]
    if not worst or any(outage.until_seconds is None for outage in worst):
        return None
    return max(outage.until_seconds - at.impact for outage in worst if outage.until_seconds is not None)


def _since(at: Moments, moment_seconds: float | None) -> float | None:
    return None if moment_seconds is None else moment_seconds - at.impact


def _end(steps: Sequence[StepResult], run: str, wanted: Callable[[BlockSpecification], bool]) -> float | None:
    mine = [step for step in steps if step.run == run and step.block in BLOCKS and wanted(BLOCKS[step.block])]
    ends = [step.ended_seconds for step in mine]
    return None if not ends or None in ends else max(end for end in ends if end is not None)


def _lag(observations: Sequence[Observation], follower: str, at_seconds: float) -> float | None:
    """How far the worst of the follower's copies was behind."""
    newest: dict[tuple[Subject, str], Observation] = {}
    for look in observations:
        wanted = look.region == follower and look.seen is Seen.UP and look.facts.get("role") in _COPIES
        if wanted and look.subject in _AGES and at_seconds - _LOOKED_SECONDS <= look.at_seconds <= at_seconds:
            known = newest.get((look.subject, look.name))
            if known is None or known.at_seconds < look.at_seconds:
                newest[look.subject, look.name] = look
    lags = []
    for (subject, _), look in newest.items():
        age = look.facts.get(_AGES[subject])
        if isinstance(age, int | float):
            lags.append(float(age) + at_seconds - look.at_seconds)
    return max(lags, default=None)
