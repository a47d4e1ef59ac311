"""One zone lost is recorded and told, once, and opens nothing; it is told again when it is back."""

from holdfast.console.narration import line
from holdfast.decision.deliveries import ATTEMPTS
from holdfast.decision.replay import replayed
from holdfast.health.signals import Health
from holdfast.health.zones import ZoneState
from holdfast.journal.kinds import Kind
from unit.conduct_on_paper import LOADED, PRIMARY, Paper

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


def test_the_plans_people_are_told_once_over_each_channel_and_told_again_when_it_is_back() -> None:
    paper = Paper(exercise=None)
    zones(paper, Health.UP, Health.DOWN, paper.now)
    paper.wait(5)
    paper.wait(60)
    told = {(tell.channel, tell.recipient) for tell in paper.told}
    assert told == {("slack", "on-call+technical-lead")}, "one post in the room that they all look at"
    assert len(paper.told) == 1
    first = paper.told[0]
    assert (first.incident, first.subject) == ("", "zone eu-west-1b is down")
    assert "too few for the full load of pms" in first.body and "Nothing is failed over for one zone" in first.body
    zones(paper, Health.UP, Health.UP, paper.now)
    count = len(paper.told)
    paper.wait(5)
    assert len(paper.told) == 2 * count
    assert paper.told[-1].subject == "zone eu-west-1b of eu-west-1 is up"


def test_in_an_exercise_stand_ins_are_told_and_every_message_says_so() -> None:
    paper = Paper()
    zones(paper, Health.UP, Health.DOWN, paper.now)
    paper.wait(5)
    assert paper.told
    assert [(tell.recipient, tell.enrolled) for tell in paper.told] == [("exercise:on-call+technical-lead", False)]
    assert all(tell.subject.startswith("EXERCISE: ") and tell.body.startswith("EXERCISE exercise-7") for tell in paper.told)


def test_a_channel_that_is_down_is_tried_again_and_not_for_ever() -> None:
    paper = Paper(exercise=None)
    paper.broken_channels = frozenset({"slack"})
    zones(paper, Health.UP, Health.DOWN, paper.now)
    for _ in range(400):
        paper.wait(1)
    tries = len(paper.told)
    assert tries == ATTEMPTS * len({tell.recipient for tell in paper.told})
    paper.wait(600)
    assert len(paper.told) == tries


def test_a_plan_without_a_notice_tells_nobody_and_records_all_the_same() -> None:
    paper = Paper(plan=LOADED.plan.model_copy(update={"zone_notice": None}))
    zones(paper, Health.UP, Health.DOWN, paper.now)
    paper.wait(5)
    assert told(paper) == [("eu-west-1b", "down")]
    assert paper.told == []


def test_a_controller_that_takes_over_knows_what_was_told() -> None:
    paper = Paper()
    zones(paper, Health.UP, Health.DOWN, paper.now)
    paper.wait(5)
    count = len(paper.told)
    paper.installation = replayed(PRIMARY, paper.records)
    paper.wait(5)
    assert len(paper.told) == count
