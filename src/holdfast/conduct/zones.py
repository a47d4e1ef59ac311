"""One zone lost is told, not failed over: recorded once when it is down, and once when it is back.

Rules: it is told when it has been so for a few seconds, and only while another zone of its region is up: where a whole
region is gone, the region's triggers speak. *Unknown* is not told: what was known last stands until an answer changes it.
Whom the plan's `zone_notice` names is told the latest of it, once over each channel, at the address that the plan has for them; a hand-over
is recorded as intended before it happens, and one that fails is tried again like any other.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from holdfast.conduct.notices import Notice, handed_out
from holdfast.conduct.situation import Move, Situation, Write
from holdfast.health.signals import Health
from holdfast.health.zones import ZoneState, zone_as_facts, zone_in_words
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.model import Words

TOLD_AFTER_SECONDS = 3.0
"""Longer than it takes until everybody has seen one cut: a lost region is not told zone by zone."""

NEWS_SECONDS = 3600.0
"""Older news about a zone reaches nobody any more: a controller that starts after a day's rest has nothing new to say."""
MESSAGE = "zone-notice"


def zones(situation: Situation) -> tuple[Move, ...]:
    """Record zones that were lost, and those that are back; then tell people."""
    news = [zone for zone in situation.zones if _is_news(situation, zone)]
    if news:
        return tuple(Write(Kind.ZONE_CHANGED, "", zone_as_facts(situation.plan, zone)) for zone in news)
    return tuple(_notices(situation))


def _is_news(situation: Situation, zone: ZoneState) -> bool:
    before = situation.installation.zones_down
    known_down = (zone.region, zone.zone) in before
    if situation.now - zone.since_seconds < TOLD_AFTER_SECONDS:
        return False
    if zone.health in (Health.UP, Health.DEGRADED):
        return known_down
    return zone.health is Health.DOWN and not known_down and _region_is_there(situation, zone)


def _region_is_there(situation: Situation, zone: ZoneState) -> bool:
    others = [other for other in situation.zones if other.region == zone.region and other.zone != zone.zone]
    return any(other.health is Health.UP for other in others)


def _notices(situation: Situation) -> Iterator[Move]:
    notice, known = situation.plan.zone_notice, situation.installation
    if notice is None:
        return
    for record in known.zone_news.values():
        if situation.now - record.at_seconds > NEWS_SECONDS:
            continue
        key = f"zone/{record.body['zone']}/{record.sequence}"
        purpose: Literal["update", "resolved"] = "resolved" if record.body["health"] == "up" else "update"
        news = Notice(key, MESSAGE, _words(record), f"zone-{record.body['zone']}", purpose=purpose)
        yield from handed_out(situation, news, notice.channels, notice.audience, record.at_seconds)


def _words(record: Record) -> Words:
    said = zone_in_words(record.body)
    since = datetime.fromtimestamp(record.body["since_seconds"], UTC).isoformat(sep=" ", timespec="seconds")
    subject = said.partition(";")[0]
    follows = (
        "The plan's triggers decide what its stores' loss means"
        if record.body["components_down"]
        else "Nothing is failed over for one zone"
    )
    text = f"{said}.\nSince {since}. {follows}; `holdfast status` says how it is now.\n"
    return Words(subject, text)
