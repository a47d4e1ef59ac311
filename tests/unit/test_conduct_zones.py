"""One zone lost is recorded and told, once, and opens nothing; it is told again when it is back."""

from holdfast.console.narration import line
from holdfast.health.signals import Health
from holdfast.health.zones import ZoneState
from holdfast.journal.kinds import Kind
from unit.conduct_on_paper import PRIMARY, Paper

LEFT = {"voice": 2, "pms": 2}


def zones(paper: Paper, first: Health, second: Health, since: float) -> None:
    paper.zones = (
        ZoneState(PRIMARY, "eu-west-1a", first, since, "2 up of 3 observers", left=LEFT),
        ZoneState(PRIMARY, "eu-west-1b", second, since, "3 without an answer of 3 observers", left=LEFT),
    )


def told(paper: Paper) -> list[tuple[str, str]]:
    return [(record.body["zone"], record.body["health"]) for record in paper.records if record.kind == Kind.ZONE_CHANGED]


def test_a_lost_zone_is_told_once_with_what_is_left_and_opens_no_incident() -> None:
    paper = Paper()
    zones(paper, Health.UP, Health.DOWN, paper.now)
    paper.wait(1)
    assert told(paper) == []
    paper.wait(3)
    paper.wait(60)
    assert told(paper) == [("eu-west-1b", "down")]
    assert paper.installation.incidents == {}
    said = line(next(record for record in paper.records if record.kind == Kind.ZONE_CHANGED))
    assert said is not None
    assert said.text.startswith(
        "zone eu-west-1b is down; eu-west-1 goes on with voice 2 of 4, pms 2 of 6 instances: too few for the full load of pms"
    )


def test_it_is_back_only_when_it_was_seen_to_be() -> None:
    paper = Paper()
    zones(paper, Health.UP, Health.DOWN, paper.now)
    paper.wait(5)
    zones(paper, Health.UP, Health.UNKNOWN, paper.now)
    paper.wait(60)
    assert told(paper) == [("eu-west-1b", "down")]
    assert paper.installation.zones_down
    zones(paper, Health.UP, Health.UP, paper.now)
    paper.wait(5)
    assert told(paper) == [("eu-west-1b", "down"), ("eu-west-1b", "up")]
    assert not paper.installation.zones_down


def test_a_whole_lost_region_is_not_told_zone_by_zone() -> None:
    paper = Paper()
    zones(paper, Health.DOWN, Health.DOWN, paper.now)
    paper.wait(30)
    assert told(paper) == []
