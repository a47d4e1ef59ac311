"""What became of zones while the incident went on: changes in its time, and those of the hour before it.

A zone that was lost earlier and had not come back counts too: the incident happened to a region that had less.
"""

from holdfast.health.zones import zone_in_words
from holdfast.journal.kinds import Kind
from holdfast.report.history import History
from holdfast.report.model import ZoneChange

BEFORE_SECONDS = 3600.0


def zone_changes(history: History, impact_seconds: float, ended_seconds: float) -> tuple[ZoneChange, ...]:
    """Every change, in order. Seconds count from impact and may be negative."""
    found: list[ZoneChange] = []
    for record in history.of(Kind.ZONE_CHANGED):
        if record.at_seconds > ended_seconds:
            continue
        body = record.body
        found = [known for known in found if known.zone != body["zone"] or known.seconds >= -BEFORE_SECONDS]
        change = ZoneChange(
            region=body["region"],
            zone=body["zone"],
            health=body["health"],
            seconds=record.at_seconds - impact_seconds,
            components_down=tuple(body["components_down"]),
            sentence=f"{zone_in_words(body)}.",
        )
        if change.health == "down" or change.seconds >= -BEFORE_SECONDS:
            found.append(change)
    return tuple(found)
