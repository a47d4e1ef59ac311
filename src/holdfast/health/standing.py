"""How each thing of a region stands, for people who look: its role, how it is, how far it follows, and how old that knowledge is.

Rules: health is what the observers say together; role and lag come from the newest answer of any observer, and their age says when
that was. What answered nobody lately keeps what it said last, with its age, and is *unknown*: never a role without its age.
It never judges and never decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from holdfast.health.history import History
from holdfast.health.observation import Observation, Subject
from holdfast.health.picture import Picture
from holdfast.health.signals import Health

WRITER, REPLICA = "writer", "replica"
_ROLES: Mapping[str, str] = MappingProxyType({"primary": WRITER, "master": WRITER, "standby": REPLICA})
_LAGS: Mapping[Subject, str] = MappingProxyType(
    {Subject.POSTGRES: "heartbeat_age_seconds", Subject.REDIS: "lag_seconds", Subject.BUCKET: "copy_lag_seconds"}
)
"""How old the newest write is that a copy has, as the copy itself was seen to hold it."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What had not arrived in a copied bucket when both buckets' lists were compared."""

    objects: int
    size_bytes: int
    oldest_seconds: float
    """How long the oldest of them has been waiting, now; 0 when nothing waits."""
    age_seconds: float
    """How long ago it was counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing of one region. `role`: writer or replica of a store, what an agent calls itself, or empty."""

    region: str
    subject: Subject
    name: str
    health: Health
    role: str
    lag_seconds: float | None
    """Only of a replica: how far it is behind the writer."""
    lease_remaining_seconds: float | None
    """Only of an agent that holds the lease."""
    age_seconds: float | None
    """How long ago anybody got an answer from it; None when nobody ever did."""
    since_seconds: float
    reason: str
    backlog: Backlog | None = None
    """Only of a bucket that is a copy, once somebody has compared the lists."""


def standings(history: History, picture: Picture) -> tuple[Standing, ...]:
    """Everything that stands in a region, by region, subject and name. Names in DNS and functions stand in none, zones are parts."""
    answered: dict[tuple[str, Subject, str], tuple[float, Observation]] = {}
    for (_, region, subject, name), track in history.tracks.items():
        if track.answered is None or track.answered_at_seconds is None:
            continue
        known = answered.get((region, subject, name))
        if known is None or known[0] < track.answered_at_seconds:
            answered[region, subject, name] = (track.answered_at_seconds, track.answered)
    found = (
        _standing(joint.region, joint.subject, joint.name, answered, (joint.health, joint.since_seconds, joint.reason), picture.now)
        for joint in picture.joints
        if joint.subject not in (Subject.DNS, Subject.TRANSACTION, Subject.ZONE)
    )
    return tuple(
        replace(standing, backlog=_backlog(history, standing, picture.now)) if standing.role == REPLICA else standing for standing in found
    )


def _backlog(history: History, standing: Standing, now: float) -> Backlog | None:
    """The newest count of any observer: each compares in its own time."""
    counted = []
    for (_, region, subject, name), track in history.tracks.items():
        if (region, subject, name) != (standing.region, standing.subject, standing.name) or subject is not Subject.BUCKET:
            continue
        if track.answered is not None and track.answered_at_seconds is not None and "backlog" in track.answered.facts:
            facts, older = track.answered.facts, max(now - track.answered_at_seconds, 0.0)
            oldest = float(facts["oldest_uncopied_seconds"]) + (older if facts["backlog"] else 0.0)
            age = float(facts["backlog_age_seconds"]) + older
            counted.append(Backlog(int(facts["backlog"]), int(facts["backlog_bytes"]), oldest, age))
    return min(counted, key=lambda backlog: backlog.age_seconds, default=None)


def _standing(
    region: str,
    subject: Subject,
    name: str,
    answered: Mapping[tuple[str, Subject, str], tuple[float, Observation]],
    said: tuple[Health, float, str],
    now: float,
) -> Standing:
    at_seconds, look = answered.get((region, subject, name), (None, None))
    facts = look.facts if look is not None else {}
    role = _ROLES.get(str(facts.get("role", "")), str(facts.get("role", "")))
    lag = facts.get(_LAGS.get(subject, "")) if role == REPLICA else None
    lease = facts.get("lease_remaining_seconds") if role == "holder" else None
    return Standing(
        region=region,
        subject=subject,
        name=name,
        health=said[0],
        role=role,
        lag_seconds=float(lag) if isinstance(lag, (int, float)) else None,
        lease_remaining_seconds=float(lease) if isinstance(lease, (int, float)) else None,
        age_seconds=max(now - at_seconds, 0.0) if at_seconds is not None else None,
        since_seconds=said[1],
        reason=said[2],
    )


def served_from(history: History) -> Mapping[str, str]:
    """Function → the region that its clients are sent to, as the newest look at it found in DNS."""
    newest: dict[str, tuple[float, str]] = {}
    for (_, region, subject, name), track in history.tracks.items():
        if subject is Subject.TRANSACTION and region and newest.get(name, (-1.0, ""))[0] < track.at_seconds:
            newest[name] = (track.at_seconds, region)
    return {name: region for name, (_, region) in newest.items()}
