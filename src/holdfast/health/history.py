"""What observers said lately, in a form that is cheap to keep and to judge.

A `History` is frozen: `absorb` returns the next one. For each thing that an observer looks at it keeps the last look, how long
the same answer has been coming, the newest time stamp seen replayed, and, for transactions, the looks of the window. Times are turned
into the controller's: an observer's clock is taken to be off by the smallest difference between sending and receiving of
late, so that a batch that arrives late stays old, and a clock that is wrong does not matter. It never judges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.plan.model import Profile

WINDOW_LOOKS = 30
"""How many looks the *degraded* numbers are counted over."""
FORGET_SECONDS = 120.0
"""A thing that was not looked at for so long is no longer known to the observer at all."""
_OFFSET_MEMORY_SECONDS = 60.0
_RATE_SHARE = 0.2
"""How much of a new rate goes into the smoothed one: servers publish their counts in jumps of about a second."""

_AGE_FACTS = {Subject.POSTGRES: "heartbeat_age_seconds", Subject.REDIS: "lag_seconds", Subject.BUCKET: "copy_lag_seconds"}
_WRITERS = frozenset({"primary", "master"})

Key = tuple[str, str, Subject, str]
"""Observer, region, subject, name."""
NOWHERE = ""
"""The region of what stands in none."""


def window_seconds(profile: Profile) -> float:
    """Length of the window that *degraded* is judged over."""
    return WINDOW_LOOKS * profile.probe_every


def fresh_seconds(profile: Profile) -> float:
    """Until when a look counts: three rounds and one time-out later it is stale."""
    return 3 * profile.probe_every + profile.probe_timeout


@dataclass(frozen=True, slots=True)
class Look:
    """One look as the window keeps it. `at_seconds` is the controller's time."""

    at_seconds: float
    seen: Seen
    latency_seconds: float


@dataclass(frozen=True, slots=True)
class Track:
    """The looks of one observer at one thing. The *run* is the unbroken row of equal answers that the last look ends."""

    last: Observation
    at_seconds: float
    run_since_seconds: float
    run_length: int
    replayed_seconds: float | None = None
    """Time stamp (the writer's clock) of the newest write seen in this store, while it is a copy of the writer's."""
    window: tuple[Look, ...] = ()
    answered: Observation | None = None
    """The last look that was answered, good or bad: what is known of a thing that fell silent."""
    answered_at_seconds: float | None = None
    writes_per_second: float | None = None
    """Rows that this store took lately, while it was the writer: what an estimate of a loss is made from. Kept when it falls silent."""


@dataclass(frozen=True, slots=True)
class _Offset:
    """Smallest (received − sent) of one observer, and the batches it is the smallest of."""

    recent: tuple[tuple[float, float], ...] = ()

    def with_batch(self, received_seconds: float, difference: float) -> "_Offset":
        kept = tuple(entry for entry in self.recent if received_seconds - entry[0] <= _OFFSET_MEMORY_SECONDS)
        return _Offset((*kept, (received_seconds, difference)))

    def seconds(self) -> float:
        return min(difference for _, difference in self.recent)


def _no_tracks() -> Mapping[Key, Track]:
    return MappingProxyType({})


def _no_offsets() -> Mapping[str, _Offset]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class History:
    """Everything that watching remembers."""

    tracks: Mapping[Key, Track] = field(default_factory=_no_tracks)
    offsets: Mapping[str, _Offset] = field(default_factory=_no_offsets)


def absorb(history: History, observations: Sequence[Observation], received_seconds: float, profile: Profile) -> History:
    """The history after a batch, oldest first, received at that moment of the controller's clock. Batches hold no repeats."""
    offsets = dict(history.offsets)
    for observer in {observation.observer for observation in observations}:
        newest = max(observation.at_seconds for observation in observations if observation.observer == observer)
        offsets[observer] = offsets.get(observer, _Offset()).with_batch(received_seconds, received_seconds - newest)
    off_by = {observer: offset.seconds() for observer, offset in offsets.items()}
    tracks = {key: track for key, track in history.tracks.items() if received_seconds - track.at_seconds <= FORGET_SECONDS}
    regions = _regions(tracks)
    for observation in observations:
        at_seconds = observation.at_seconds + off_by[observation.observer]
        if received_seconds - at_seconds > FORGET_SECONDS:
            continue
        # DNS stands in no region: where its answer leads says nothing about whether that region answers.
        region = NOWHERE if observation.subject is Subject.DNS else observation.region
        key = (observation.observer, region, observation.subject, observation.name)
        if observation.subject is Subject.TRANSACTION and not _forget_elsewhere(tracks, regions, key, at_seconds):
            continue
        tracks[key] = _next_track(tracks.get(key), observation, at_seconds, profile)
    return replace(history, tracks=MappingProxyType(tracks), offsets=MappingProxyType(offsets))


def _regions(tracks: Mapping[Key, Track]) -> dict[tuple[str, str], set[str]]:
    """(Observer, function) → where it was looked at."""
    found: dict[tuple[str, str], set[str]] = {}
    for observer, region, subject, name in tracks:
        if subject is Subject.TRANSACTION:
            found.setdefault((observer, name), set()).add(region)
    return found


def _forget_elsewhere(tracks: dict[Key, Track], regions: dict[tuple[str, str], set[str]], key: Key, at_seconds: float) -> bool:
    """Whether this look at a function counts. DNS names one region at a time, so the latest look overrules those elsewhere."""
    observer, region, subject, name = key
    known = regions.setdefault((observer, name), set())
    others = [(observer, other, subject, name) for other in known if other != region]
    if any(tracks[other].at_seconds > at_seconds for other in others):
        return False
    for other in others:
        del tracks[other]
    known.clear()
    known.add(region)
    return True


def _next_track(track: Track | None, observation: Observation, at_seconds: float, profile: Profile) -> Track:
    same = track is not None and track.last.seen is observation.seen and at_seconds - track.at_seconds <= fresh_seconds(profile)
    window: tuple[Look, ...] = ()
    if observation.subject is Subject.TRANSACTION:
        start = at_seconds - window_seconds(profile)
        kept = () if track is None else tuple(look for look in track.window if look.at_seconds > start)
        window = (*kept, Look(at_seconds, observation.seen, observation.latency_seconds))
    silent = observation.seen is Seen.SILENT
    return Track(
        answered=(track.answered if track is not None else None) if silent else observation,
        answered_at_seconds=(track.answered_at_seconds if track is not None else None) if silent else at_seconds,
        last=observation,
        at_seconds=at_seconds,
        run_since_seconds=track.run_since_seconds if track is not None and same else at_seconds,
        run_length=track.run_length + 1 if track is not None and same else 1,
        replayed_seconds=_replayed(track, observation),
        window=window,
        writes_per_second=_write_rate(track, observation, at_seconds),
    )


def _write_rate(track: Track | None, observation: Observation, at_seconds: float) -> float | None:
    """The rate between the last two answered looks, smoothed. A count that went down (a restart) says nothing."""
    before = None if track is None else track.writes_per_second
    count = observation.facts.get("rows_written")
    if track is None or track.answered is None or track.answered_at_seconds is None or not isinstance(count, int):
        return before
    earlier, seconds = track.answered.facts.get("rows_written"), at_seconds - track.answered_at_seconds
    if not isinstance(earlier, int) or count < earlier or seconds <= 0:
        return before
    rate = (count - earlier) / seconds
    return rate if before is None else before + _RATE_SHARE * (rate - before)


def _replayed(track: Track | None, observation: Observation) -> float | None:
    if observation.facts.get("role") in _WRITERS:
        # What a writer holds says nothing about what a copy holds, least of all once it is rewound and follows another.
        return None
    stamp = observation.facts.get("last_heartbeat_seconds")
    if isinstance(stamp, (int, float)):
        return float(stamp)
    age = observation.facts.get(_AGE_FACTS.get(observation.subject, ""))
    if not isinstance(age, (int, float)):
        return track.replayed_seconds if track is not None else None
    # Age and moment of looking are of the same clock, so that an observer's wrong clock cancels out.
    return observation.at_seconds - age
