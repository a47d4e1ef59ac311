"""One zone lost is told, not failed over: recorded once when it is down, and once when it is back.

Rules: it is told when it has been so for a few seconds, and only while another zone of its region is up: where a whole
region is gone, the region's triggers speak. *Unknown* is not told: what was known last stands until an answer changes it.
"""

from holdfast.conduct.situation import Move, Situation, Write
from holdfast.health.signals import Health
from holdfast.health.zones import ZoneState, zone_as_facts
from holdfast.journal.kinds import Kind

TOLD_AFTER_SECONDS = 3.0
"""Longer than it takes until everybody has seen one cut: a lost region is not told zone by zone."""


def zones(situation: Situation) -> tuple[Move, ...]:
    """Record zones that were lost, and those that are back."""
    return tuple(Write(Kind.ZONE_CHANGED, "", zone_as_facts(situation.plan, zone)) for zone in situation.zones if _is_news(situation, zone))


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
