"""What a report says of zones: changes in the incident's time, with what was left, and what was lost before and not back."""

from dataclasses import replace
from typing import Any

from holdfast.journal.kinds import Kind
from holdfast.report.build import build
from holdfast.report.model import Report
from unit.chains import in_order, lines_of
from unit.report_facts import IMPACT, ReportStory


def changed(seconds: float, zone: str, health: str, **more: Any) -> tuple[float, dict[str, Any]]:
    body = {"region": "eu-west-1", "zone": zone, "health": health, "since_seconds": IMPACT + seconds, "reason": "", "left": {"voice": 2}}
    return IMPACT + seconds, {**body, "instances": {}, "sizes": {"voice": {"run": 4, "needed": 2}}, "components_down": [], **more}


def report(*changes: tuple[float, dict[str, Any]]) -> Report:
    """The report of a story whose journal held these changes, too."""
    facts = ReportStory().facts()
    more = [(at_seconds, Kind.ZONE_CHANGED.value, "", body) for at_seconds, body in changes]
    return build(replace(facts, records=in_order([*lines_of(facts.records), *more])))


def test_a_zone_lost_in_the_incidents_time_stands_in_the_report_with_what_was_left() -> None:
    found = report(changed(3.5, "eu-west-1a", "down", components_down=["database"]), changed(18.0, "eu-west-1a", "up"))
    assert [(change.zone, change.health, change.seconds) for change in found.zones] == [
        ("eu-west-1a", "down", 3.5),
        ("eu-west-1a", "up", 18.0),
    ]
    assert found.zones[0].components_down == ("database",)
    said = [finding.sentence for finding in found.findings if finding.about == "zone eu-west-1a"]
    assert said[0].startswith("3.5 s after impact: zone eu-west-1a is down; database down in eu-west-1; instances left: voice 2 of 4")


def test_of_long_ago_only_what_had_not_come_back_is_told() -> None:
    found = report(changed(-9000, "eu-west-1a", "down"), changed(-8000, "eu-west-1a", "up"), changed(-7000, "eu-west-1b", "down"))
    assert [(change.zone, change.health) for change in found.zones] == [("eu-west-1b", "down")]


def test_zones_never_decide_the_verdict() -> None:
    assert report(changed(3.5, "eu-west-1b", "down")).verdict == report().verdict
