"""From looks to signals: what each observer says about each thing, and what a majority of them says together.

Rules
- One look is never enough: *down* and *silent* need two in a row.
- Silence is *unknown*. It counts as *lost* only where the same observer gets good answers from elsewhere, outside the silent
  region and outside its own site; then it is evidence about the path, and the observer may vote so.
- An observer that gets a good answer from nowhere outside its own site doubts itself: all it says is *unknown*.
- Together they say *down* only when a majority of the configured observers does. Those that are not heard from count as
  configured and say nothing, so turning what was seen into *unknown* can only make the result less certain.

It never decides anything, and never takes *unknown* for *down*.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from holdfast.health.history import History, Key, Look, Track, fresh_seconds
from holdfast.health.observation import Seen, Subject
from holdfast.plan.model import Degraded, Plan, Profile

LOOKS_NEEDED = 2
"""How many equal answers in a row make a signal other than *up*."""
WINDOW_MINIMUM = 10
"""With fewer looks than this in the window, a share of failures means nothing."""

_LAG_FACTS = {Subject.POSTGRES: "replay_lag_seconds", Subject.REDIS: "lag_seconds", Subject.BUCKET: "copy_lag_seconds"}


class Health(StrEnum):
    """How a thing is."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signal:
    """What one observer says about one thing. `lost`: it gets no answer there though it does elsewhere (then the state is unknown)."""

    observer: str
    region: str
    subject: Subject
    name: str
    health: Health
    lost: bool
    since_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Votes:
    """How the configured observers stand about one thing. Those that say nothing are `unknown`."""

    up: int
    degraded: int
    down: int
    lost: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Joint:
    """What the observers say together about one thing of a region."""

    region: str
    subject: Subject
    name: str
    health: Health
    since_seconds: float
    votes: Votes
    reason: str


def majority(plan: Plan) -> int:
    """How many of the configured observers are needed."""
    return len(plan.observers) // 2 + 1


def signals(plan: Plan, profile: Profile, history: History, now: float) -> tuple[Signal, ...]:
    """What each configured observer says about each thing that it has looked at of late."""
    by_observer: dict[str, list[Signal]] = defaultdict(list)
    for key, track in history.tracks.items():
        if key[0] in plan.observers:
            by_observer[key[0]].append(_judge(plan, profile, key, track, now))
    return tuple(signal for observer in plan.observers for signal in _with_doubt(observer, by_observer[observer]))


def combine(plan: Plan, spoken: Iterable[Signal]) -> tuple[Joint, ...]:
    """What the configured observers say together about each thing, by region, subject and name."""
    by_thing: dict[tuple[str, Subject, str], list[Signal]] = defaultdict(list)
    for signal in spoken:
        by_thing[signal.region, signal.subject, signal.name].append(signal)
    return tuple(_joint(plan, *thing, by_thing[thing]) for thing in sorted(by_thing))


def functions(plan: Plan, spoken: Iterable[Signal]) -> Mapping[str, Joint]:
    """How each function of the plan is, wherever DNS sends its clients. A function that nobody looked at is *unknown*."""
    found: dict[str, list[Signal]] = {name: [] for name in plan.functions}
    for signal in spoken:
        if signal.subject is Subject.TRANSACTION and signal.name in found:
            found[signal.name].append(signal)
    return {name: _joint(plan, "", Subject.TRANSACTION, name, said) for name, said in found.items()}


def _judge(plan: Plan, profile: Profile, key: Key, track: Track, now: float) -> Signal:
    observer, region, subject, name = key
    health, lost, since, reason = Health.UNKNOWN, False, track.run_since_seconds, ""
    age = now - track.at_seconds
    enough = track.run_length >= LOOKS_NEEDED
    if age > fresh_seconds(profile):
        since, reason = track.at_seconds, f"last looked at {age:.0f} s ago"
    elif track.last.seen is Seen.UP:
        health, reason = Health.UP, "answers"
        numbers = _below_numbers(plan, key, track)
        if numbers is not None:
            health, (since, reason) = Health.DEGRADED, numbers
    elif not enough:
        reason = f"one look only: {track.last.detail or track.last.seen}"
    elif track.last.seen is Seen.DOWN:
        health, reason = Health.DOWN, track.last.detail or "answers that it does not work"
    else:
        lost, reason = True, f"no answer in {track.run_length} looks"
    return Signal(observer, region, subject, name, health, lost, since, reason)


def _below_numbers(plan: Plan, key: Key, track: Track) -> tuple[float, str] | None:
    """Since when and why a thing that answers is degraded by the plan's own numbers, or None."""
    _, _, subject, name = key
    if subject is Subject.TRANSACTION and name in plan.functions:
        return _slow_or_failing(plan.functions[name].degraded, track.window)
    lag = track.last.facts.get(_LAG_FACTS.get(subject, ""))
    component = plan.components.get(name)
    if component is not None and component.rpo is not None and isinstance(lag, (int, float)) and lag > component.rpo:
        return track.at_seconds - (lag - component.rpo), f"lags by {lag:.0f} s; the plan allows {component.rpo:.0f} s"
    return None


def _slow_or_failing(numbers: Degraded, window: Sequence[Look]) -> tuple[float, str] | None:
    if len(window) < WINDOW_MINIMUM:
        return None
    failed = [look for look in window if look.seen is not Seen.UP]
    percent = 100.0 * (len(window) - len(failed)) / len(window)
    if percent < numbers.success_percent_below:
        return failed[0].at_seconds, f"{percent:.0f} % of {len(window)} succeeded; the plan wants {numbers.success_percent_below:g} %"
    slow = [look for look in window if look.latency_seconds > numbers.p95_latency_above]
    if len(window) - len(slow) < math.ceil(0.95 * len(window)):
        return slow[0].at_seconds, f"the 95th percentile of latency is above {numbers.p95_latency_above:g} s"
    return None


def _with_doubt(observer: str, spoken: Sequence[Signal]) -> Iterable[Signal]:
    """The observer's signals after it has asked itself whether the fault is its own."""
    good = {signal.region for signal in spoken if signal.health in (Health.UP, Health.DEGRADED) and signal.region != observer}
    for signal in spoken:
        if not good and signal.region != observer and (signal.health is Health.DOWN or signal.lost):
            yield _doubted(signal, "nothing outside its own site answers well, so this observer doubts itself")
        elif not good:
            yield _doubted(signal, signal.reason if signal.health is Health.UNKNOWN else "this observer doubts itself")
        elif signal.lost and not good - {signal.region}:
            yield _doubted(signal, f"{signal.reason}, and none from any other place to compare with")
        else:
            yield signal


def _doubted(signal: Signal, reason: str) -> Signal:
    return Signal(signal.observer, signal.region, signal.subject, signal.name, Health.UNKNOWN, False, signal.since_seconds, reason)


def _joint(plan: Plan, region: str, subject: Subject, name: str, spoken: Sequence[Signal]) -> Joint:
    needed = majority(plan)
    up = [signal for signal in spoken if signal.health is Health.UP]
    degraded = [signal for signal in spoken if signal.health is Health.DEGRADED]
    down = [signal for signal in spoken if signal.health is Health.DOWN]
    lost = [signal for signal in spoken if signal.lost]
    votes = Votes(len(up), len(degraded), len(down), len(lost), len(plan.observers) - len(up) - len(degraded) - len(down) - len(lost))
    health, agreeing = Health.UNKNOWN, list(spoken)
    if len(down) + len(lost) >= needed:
        health, agreeing = Health.DOWN, down + lost
    elif len(down) + len(lost) + len(degraded) >= needed:
        health, agreeing = Health.DEGRADED, down + lost + degraded
    elif len(up) + len(degraded) >= needed:
        health, agreeing = Health.UP, up + degraded
    # Known together since the last of the smallest majority came to say so.
    moments = sorted(signal.since_seconds for signal in agreeing)
    since = moments[min(needed, len(moments)) - 1] if moments else 0.0
    return Joint(region, subject, name, health, since, votes, _words(plan, health, votes, agreeing))


def _words(plan: Plan, health: Health, votes: Votes, agreeing: Sequence[Signal]) -> str:
    parts = [
        f"{count} {word}"
        for word, count in (
            ("up", votes.up),
            ("degraded", votes.degraded),
            ("down", votes.down),
            ("without an answer", votes.lost),
            ("unknown", votes.unknown),
        )
        if count
    ]
    why = next((signal.reason for signal in agreeing if signal.health is not Health.UP), "")
    tail = f": {why}" if why and health is not Health.UP else ""
    return f"{', '.join(parts)} of {len(plan.observers)} observers{tail}"
