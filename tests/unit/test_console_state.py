"""The read model: sides that never swap, clocks that start with the first failure, and who must act with which command."""

import json
from dataclasses import replace
from typing import Any

import pytest

from holdfast.conduct.policy import next_moves
from holdfast.conduct.situation import Alarm, FunctionHit
from holdfast.console.narration import line
from holdfast.console.state import state
from holdfast.decision.replay import replayed
from holdfast.health.picture import Picture
from holdfast.health.standing import served_from, standings
from holdfast.journal.kinds import Kind
from unit.conduct_on_paper import DR, PRIMARY, Paper
from unit.health_world import START as SEEN_START
from unit.health_world import World, cut


def _state(paper: Paper, seen: Picture | None = None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(state(paper.situation(), 1.0, seen, {})))
    return told


def _function(paper: Paper, name: str, seen: Picture | None = None) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in _state(paper, seen)["functions"] if entry["function"] == name)
    return found


def test_the_plans_primary_is_always_first_whoever_serves() -> None:
    paper = Paper()
    assert [side["region"] for side in _state(paper)["sides"]] == [PRIMARY, DR]
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    now = _state(paper)
    assert [(side["region"], side["serves"]) for side in now["sides"]] == [(PRIMARY, False), (DR, True)]
    assert {(link["from"], link["to"]) for link in now["links"]} == {(DR, PRIMARY)}
    assert all(link["lag_seconds"] is None and link["follows"] is None for link in now["links"])


def test_a_clock_starts_with_the_first_failure_and_stops_when_served_again() -> None:
    paper = Paper()
    paper.lose_region()
    hit = paper.hit[0].since_seconds
    voice = _function(paper, "voice")
    assert (voice["out_since_seconds"], voice["back_seconds"], voice["rto_seconds"]) == (hit, None, 900.0)
    assert voice["expected_back"]["rests_on"] == "the plan's windows"
    paper.wait(5.0)
    paper.approve("exercise-one", "exercise-two")
    back = paper.now
    paper.region_answers()
    voice = _function(paper, "voice")
    assert (voice["out_since_seconds"], voice["back_seconds"], voice["expected_back"]) == (hit, back, None)


def test_silence_stops_no_clock() -> None:
    paper = Paper()
    paper.lose_region()
    paper.hit, paper.unknown = (), frozenset(paper.plan.functions)
    paper.settle()
    assert _function(paper, "voice")["back_seconds"] is None


def turned_back(paper: Paper) -> str:
    """The region was lost and nobody moved: the incident is over, and clients are still without their functions."""
    paper.lose_region()
    incident = paper.incident.incident
    assert paper.command("abort", "exercise-one", incident=incident, reason="the line was cut by mistake").startswith("accepted")
    assert paper.installation.open_incident() is None and _function(paper, "voice")["back_seconds"] is None
    return incident


def test_a_clock_that_ran_on_when_its_incident_was_turned_back_stops_when_the_function_is_served_again() -> None:
    paper = Paper()
    incident = turned_back(paper)
    hit = paper.hit[0].since_seconds
    paper.hit, paper.unknown = (), frozenset(paper.plan.functions)
    paper.wait(5.0)
    assert _function(paper, "voice")["back_seconds"] is None, "silence stops no clock"
    back, paper.unknown = paper.now, frozenset()
    paper.region_answers()
    voice = _function(paper, "voice")
    assert (voice["out_since_seconds"], voice["back_seconds"]) == (hit, back)
    paper.wait(5.0)
    paper.hit = (FunctionHit("voice", paper.now, False),)
    paper.settle()
    voice = _function(paper, "voice")
    assert (voice["out_since_seconds"], voice["back_seconds"]) == (paper.now, None), "what is lost later is an outage of its own"
    assert paper.installation.incidents[incident].functions["voice"].back_seconds == back
    assert replayed(PRIMARY, paper.records).incidents == paper.installation.incidents


def test_what_is_up_where_nothing_can_reach_it_is_not_back() -> None:
    paper = Paper()
    turned_back(paper)
    up = dict.fromkeys(paper.plan.functions, paper.now)
    assert next_moves(replace(paper.situation(), functions_up_since=up)) == ()


def test_each_incident_that_was_turned_back_has_its_clocks_stopped() -> None:
    paper = Paper()
    first = turned_back(paper)
    assert paper.command("switchover", "aoife-brennan").startswith("accepted")
    paper.region_answers()
    assert paper.installation.incidents[first].functions["voice"].back_seconds == paper.now
    assert paper.incident.incident != first


def test_when_a_function_came_back_while_no_controller_watched_is_made_up_by_nobody() -> None:
    paper = Paper()
    first = turned_back(paper)
    paper.wait(60.0)
    paper.restart()
    assert _function(paper, "voice", World().run(0, 5))["out_since_seconds"] is not None, "it is away by what the controller goes by"
    paper.region_answers()
    assert paper.installation.incidents[first].functions["voice"].back_seconds is None
    assert _function(paper, "voice")["back_seconds"] is None and _function(paper, "voice")["out_since_seconds"] is not None, "nobody looks"
    voice = _function(paper, "voice", World().run(0, 5))
    assert (voice["health"], voice["out_since_seconds"], voice["back_seconds"]) == ("up", None, None)


def test_the_longest_outage_stands_when_there_were_several_and_another_controller_knows_it_too() -> None:
    paper = Paper()
    paper.lose_region()
    paper.wait(10.0)
    paper.alarms, paper.hit = (), ()
    paper.settle()
    first = _function(paper, "voice")
    paper.hit = (FunctionHit("voice", paper.now, True),)
    paper.settle()
    assert _function(paper, "voice")["back_seconds"] is None
    paper.now += 1.0
    paper.hit = ()
    paper.settle()
    assert _function(paper, "voice")["out_since_seconds"] == first["out_since_seconds"]
    assert replayed(PRIMARY, paper.records).incidents == paper.installation.incidents
    said = [line(record) for record in paper.records if record.kind == Kind.FUNCTIONS_SEEN]
    assert [told.state for told in said if told] == ["failed", "done", "failed", "done"]


def test_who_must_approve_by_when_and_with_which_command() -> None:
    paper = Paper(exercise=None)
    paper.lose_region()
    asked, called = _state(paper)["acting"]
    assert called["command"] == f"holdfast ack {paper.incident.incident} --as aoife-brennan"
    assert asked["by_seconds"] == paper.now + 1800.0
    assert asked["needed"] == 2
    assert asked["who"][0] == {"person": "aoife-brennan", "name": "Aoife Brennan", "role": "platform-lead"}
    assert asked["command"] == f"holdfast approve {paper.incident.incident} --as aoife-brennan"
    assert paper.approve("aoife-brennan") == ["accepted: approval 1 of 2"]
    asked, called = _state(paper)["acting"]
    assert called["command"] == f"holdfast ack {paper.incident.incident} --as ines-carvalho", "whoever approves has answered"
    assert asked["needed"] == 1
    assert "aoife-brennan" not in [person["person"] for person in asked["who"]]


def test_a_loss_above_the_rpo_is_in_the_command_until_somebody_accepts_it() -> None:
    paper = Paper()
    paper.loss = type(paper.loss)(None, None)
    paper.lose_region()
    assert _state(paper)["acting"][0]["command"].endswith("--as exercise-one --accept-loss")
    paper.approve("exercise-one", accepts_loss=True)
    assert _state(paper)["acting"][0]["command"].endswith("--as exercise-two")


def test_a_step_that_waits_names_its_people_and_the_way_home_follows() -> None:
    paper = Paper()
    paper.outcomes["smoke.test"] = "refused"
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    asked, called = _state(paper)["acting"]
    assert called["command"] == f"holdfast ack {paper.incident.incident} --as exercise-four"
    assert asked["command"] == "holdfast choose smoke-test retry --as exercise-one"
    paper.outcomes.clear()
    paper.command("choose", "exercise-one", step="smoke-test", choice="retry")
    paper.region_answers()
    assert [entry["command"] for entry in _state(paper)["acting"]] == ["holdfast failback --as exercise-four"]


def test_the_forecast_names_the_steps_that_the_end_hangs_on() -> None:
    paper = Paper()
    assert _state(paper)["forecast"] is None
    paper.lose_region()
    ahead = _state(paper)["forecast"]
    assert ahead["run"] == "failover"
    assert ahead["chain"][0] == "approve"
    assert ahead["served"]["at_seconds"] == pytest.approx(paper.incident.impact_seconds + 1800.0)


def test_what_fell_silent_keeps_its_last_word_with_its_age() -> None:
    world = World(fault=cut(PRIMARY, 10.0))
    picture = world.run(0, 14)
    found = {(standing.region, standing.subject.value): standing for standing in standings(world.history, picture)}
    lost, well = found[PRIMARY, "postgres"], found[DR, "postgres"]
    assert lost.health.value == "down"
    assert lost.age_seconds == pytest.approx(picture.now - SEEN_START - 9.0, abs=0.6)
    assert well.health.value == "up"
    assert well.age_seconds is not None
    assert well.age_seconds < 1.1
    assert served_from(world.history)["voice"] == PRIMARY


def test_an_attempt_that_is_followed_by_another_is_not_called_failed() -> None:
    paper = Paper()
    paper.outcomes["smoke.test"] = "failed"
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    for _ in range(40):
        paper.wait(5.0)
    tries = [record for record in paper.records if record.kind == Kind.STEP_FINISHED and record.body["step"] == "smoke-test"]
    said = [told for told in map(line, tries) if told is not None]
    assert len(said) > 1
    assert {told.state for told in said[:-1]} == {"running"}
    assert said[0].text == "smoke-test: not yet, it is tried again: failed"
    assert said[-1].state == "failed", "the last one is followed by nobody but a person"
    old = replace(tries[0], body={name: value for name, value in tries[0].body.items() if name != "attempts_left"})
    assert line(old).state == "failed", "a journal from before says it as it did"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("heals", "said"), [(False, "5 of 5 functions are hit; an outage"), (True, "5 of 5 functions were hit, 0 of them still are; an outage")]
)
def test_a_heal_before_the_assessment_leaves_what_was_hit(heals: bool, said: str) -> None:
    paper = Paper()
    paper.alarms = (Alarm(PRIMARY, "network-lost", True, paper.now - 3, "no answer", None),)
    paper.hit = tuple(FunctionHit(name, paper.now - 3, True) for name in paper.plan.functions)
    while Kind.FUNCTIONS_SEEN not in paper.kinds():
        paper._make(next_moves(paper.situation()))
    paper.hit = () if heals else paper.hit
    paper.settle()
    (detail,) = [
        record.body["detail"] for record in paper.records if record.kind == Kind.STEP_FINISHED and record.body["block"] == "assess"
    ]
    assert detail == f"{said} of this length costs 1\u202f000 USD by the plan's tiers"
