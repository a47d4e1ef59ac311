"""The world that a file of `holdfast plan` rests on, and what has moved in it since.

Rules: what can't be seen now and was seen then has moved, where the region must be seen; elsewhere it is let pass. A larger loss has moved
by the rule by which people are asked again. Only what the run is about is compared: `concerned` leaves the rest out.
Never here: looking.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from holdfast.conduct.proposals import grew, shown
from holdfast.conduct.situation import LossBound
from holdfast.fencing.lease import HEARTBEAT_SECONDS, RENEWALS
from holdfast.plan.model import Profile
from holdfast.plan.values import spoken_duration

_GROWTH = 2.0
"""A size that doubled or halved makes the expected times worthless."""
_SMALL_BYTES, _SMALL_COUNT = 64 * 1024 * 1024, 1000
_T = TypeVar("_T")
_BAD = {"up": 0, "degraded": 1, "down": 2}


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of one component in the region that doesn't serve. None: unknown."""

    title: str
    region: str
    follows: bool | None
    lag_seconds: float | None
    bound_seconds: float | None
    """What was lost at most were it taken at the very moment of looking."""
    may_lose_seconds: float | None
    """The same for as long as nothing changes: the top of the bound, as people are told it."""


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
    instances: Mapping[str, int | None] = field(default_factory=dict)
    """`region/function` → how many instances its set that serves is to have."""
    copies: Mapping[str, Copy] = field(default_factory=dict)
    """Component that keeps data → its copy."""
    names: Mapping[str, str | None] = field(default_factory=dict)
    """Function → the region that its name leads to."""
    health: Mapping[str, str] = field(default_factory=dict)
    """`region/component` → up, degraded, down or unknown."""


def swing_seconds(profile: Profile) -> float:
    """By how much a bound of loss comes and goes while nothing changes: between two renewals of the lease, two looks, two heartbeats."""
    return profile.lease / RENEWALS + 2 * profile.probe_every + HEARTBEAT_SECONDS


def top_of(bound_seconds: float | None, swing: float) -> float | None:
    """The largest that a bound gets as long as nothing changes, as people see it."""
    return None if bound_seconds is None else shown(LossBound(bound_seconds + swing, None)).bound_seconds


def world_from(value: Mapping[str, Any]) -> World:
    """A world as a file has it. Raises TypeError for fields that it doesn't know or lacks."""
    return World(**{**value, "copies": {name: Copy(**copy) for name, copy in value.get("copies", {}).items()}})


def worst_loss(world: World) -> float | None:
    """What taking all the copies may lose at most; None as soon as that of one is unknown."""
    bounds = [copy.may_lose_seconds for copy in world.copies.values()]
    known = [bound for bound in bounds if bound is not None]
    return max(known, default=0.0) if len(known) == len(bounds) else None


def moved(before: World, now: World, needed: Iterable[str]) -> tuple[str, ...]:
    """What is not as it was, a sentence each. `needed`: regions that must be seen; what is unknown elsewhere is let pass."""
    regions = tuple(f"{region}/" for region in needed)
    return (
        *_foundations(before, now),
        *_compared("the version", before.versions, now.versions, regions, _other_version),
        *_compared("the number of instances", before.instances, now.instances, regions, _other_number),
        *_compared("the size", before.sizes, now.sizes, regions, _other_size),
        *(sentence for name, copy in before.copies.items() for sentence in _copy(copy, now.copies.get(name))),
        *_names(before, now),
        *_health(before, now, regions),
    )


def _foundations(before: World, now: World) -> list[str]:
    return [
        f"{what} is {new}, it was {old}"
        for what, old, new in (
            ("the plan's digest", before.plan_digest[:12], now.plan_digest[:12]),
            ("the region that serves", before.serving, now.serving),
            ("the epoch", f"{before.era}.{before.epoch}", f"{now.era}.{now.epoch}"),
        )
        if old != new
    ]


def _compared(
    what: str,
    before: Mapping[str, _T | None],
    now: Mapping[str, _T | None],
    regions: tuple[str, ...],
    other: Callable[[str, _T | None, _T], str],
) -> Iterator[str]:
    """What is no longer seen where it must be, and what `other` says of what is seen, if that is anything."""
    for name, old in before.items():
        new = now.get(name)
        if new is not None:
            sentence = other(name, old, new)
        else:
            sentence = f"{what} of {name} can't be seen now; it was {old}" if old is not None and name.startswith(regions) else ""
        if sentence:
            yield sentence


def _other_version(name: str, old: str | None, new: str) -> str:
    return "" if new == old else f"the version of {name} is {new}, it was {old or 'not seen'}"


def _other_number(name: str, old: int | None, new: int) -> str:
    return "" if new == old else f"{name} has {new} instances, it had {'an unknown number' if old is None else old}"


def _other_size(name: str, old: int | None, new: int) -> str:
    """A size that was unknown before says nothing of the times."""
    if old is None:
        return ""
    small = _SMALL_BYTES if name.endswith("bytes") else _SMALL_COUNT
    low, high = max(min(old, new), small), max(old, new, small)
    return f"the size of {name} is {new}, it was {old}: the expected times no longer hold" if high > low * _GROWTH else ""


def _copy(old: Copy, now: Copy | None) -> list[str]:
    """A copy that follows no more, or that would lose more than the file says."""
    sentences = []
    named = f"{old.title} in {old.region}"
    if old.follows and (now is None or not now.follows):
        known = now is not None and now.follows is False
        sentences.append(f"{named} {'follows no more' if known else 'can no longer be seen to follow'}; it did")
    lost = None if now is None else now.bound_seconds
    if old.may_lose_seconds is not None and grew(old.may_lose_seconds, lost):
        far = "" if now is None or now.lag_seconds is None else f", and it is {spoken_duration(now.lag_seconds)} behind"
        most = "what may be lost can't be bounded now" if lost is None else f"up to {spoken_duration(lost)} may be lost now"
        sentences.append(f"of {named} {most}{far}; it was at most {spoken_duration(old.may_lose_seconds)}")
    return sentences


def _names(before: World, now: World) -> list[str]:
    changed: dict[tuple[str | None, str], list[str]] = {}
    for function, old in before.names.items():
        leads = now.names.get(function)
        if leads is not None and leads != old:
            changed.setdefault((old, leads), []).append(function)
    return [
        f"the names of {', '.join(functions)} lead to {leads}, they led to {old or 'nobody knew where'}"
        for (old, leads), functions in changed.items()
    ]


def _health(before: World, now: World, regions: tuple[str, ...]) -> list[str]:
    sentences = []
    for name, old in before.health.items():
        health = now.health.get(name, "unknown")
        if not name.startswith(regions) or old not in _BAD:
            continue
        if health not in _BAD:
            sentences.append(f"how {name} is can't be told now; it was {old}")
        elif _BAD[health] > _BAD[old]:
            sentences.append(f"{name} is {health}, it was {old}")
    return sentences
