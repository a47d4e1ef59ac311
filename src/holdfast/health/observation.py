"""What an observer saw, once: the smallest fact that anything else is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Subject(StrEnum):
    """What kind of thing was looked at."""

    TRANSACTION = "transaction"
    """A synthetic transaction of a function, through DNS, as a client does it. Its region is the one that DNS named."""
    HTTP = "http"
    POSTGRES = "postgres"
    REDIS = "redis"
    BUCKET = "bucket"
    DNS = "dns"
    AGENT = "agent"
    ZONE = "zone"
    """A zone of a region, by something that stands in it and says what runs there."""


class Seen(StrEnum):
    """`up` and `down` are answers. No answer is `silent`: it is evidence about the path as much as about the thing."""

    UP = "up"
    DOWN = "down"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one thing by one observer.

    `at_seconds` and `latency_seconds` are the observer's; a controller never compares clocks of two observers closer than the
    plan's probe interval. `facts` by subject, all optional: postgres `role` (primary|standby), `heartbeat_age_seconds`,
    `replay_lag_seconds`, `timeline`, `epoch`; redis `role`, `offset`, `link_up`, `lag_seconds`; bucket `copy_lag_seconds`,
    `backlog` (objects), `backlog_bytes`, `oldest_uncopied_seconds`, `backlog_age_seconds`, or `backlog_unknown` (why);
    dns `addresses`; http `status`; transaction `status`, `error`; agent `role`, `epoch`, `lease_remaining_seconds`;
    zone `instances` (function → how many are ready there).
    """

    observer: str
    sequence: int
    at_seconds: float
    """Wall-clock seconds since 1970 at the observer."""
    region: str
    subject: Subject
    name: str
    """Function or component identifier."""
    seen: Seen
    latency_seconds: float
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
