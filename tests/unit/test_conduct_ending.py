"""What is still owed when an incident ends as it is resolved: who heard that something was wrong hears that it is over."""

import pytest

from holdfast.conduct.situation import FunctionHit
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from unit.conduct_on_paper import Paper

STAND_INS = ("exercise-one", "exercise-two", "exercise-three", "exercise-four")
RESOLUTIONS = {"resolution", "resolution-customers", "resolution-partners"}
DAY = 86_400.0


def declared(scenario: str) -> Paper:
    """People found it and said so; clients get nothing meanwhile."""
    paper = Paper()
    paper.hit = tuple(FunctionHit(name, paper.now - 3, True) for name in paper.plan.functions)
    assert paper.command("declare", "exercise-three", scenario=scenario).startswith("accepted")
    return paper


def carry_out(paper: Paper) -> None:
    """People do every step, and with the last of them clients are served again."""
    for _ in range(60):
        if paper.incident.ended:
            return
        waiting = {record.body["step"] for record in paper.incident.course if record.kind == Kind.STEP_WAITING}
        done = {record.body["step"] for record in paper.incident.course if record.kind == Kind.STEP_FINISHED}
        for step in sorted(waiting - done):
            for person in STAND_INS:
                if paper.command("choose", person, step=step, choice="done", reason="it is done").startswith("accepted"):
                    break
        paper.hit = ()
        paper.wait(1.0)
    raise AssertionError(f"no end; the last records: {paper.kinds()[-6:]}")


def left_at_the_end(paper: Paper) -> Paper:
    """What another controller finds when this one died with the record that the incident is closed."""
    lengths = enumerate(paper.batches)
    closed = (number for number, length in lengths if any(record.kind == Kind.INCIDENT_CLOSED for record in paper.records[:length]))
    return paper.cut_after(next(closed))


def due(paper: Paper) -> set[str]:
    return {record.body["message"] for record in paper.records if record.kind == Kind.NOTIFICATION_DUE}


def told(paper: Paper) -> list[tuple[str, str, str]]:
    return [(tell.message, tell.channel, tell.recipient) for tell in paper.told if tell.message in RESOLUTIONS]


@pytest.mark.parametrize("scenario", ["database-corruption", "security-breach"])
def test_where_the_last_step_ends_the_incident_everybody_hears_that_it_is_over_once(scenario: str) -> None:
    paper = declared(scenario)
    carry_out(paper)
    assert paper.incident.state is State.CLOSED
    assert due(paper) >= RESOLUTIONS
    heard = told(paper)
    assert {message for message, _, _ in heard} == RESOLUTIONS and len(heard) == len(set(heard))
    paper.restart()
    paper.wait(3600.0)
    assert told(paper) == heard


def test_the_page_hears_it_by_the_plans_own_message_and_not_a_second_time() -> None:
    paper = declared("database-corruption")
    paper.wait(1800.0)
    carry_out(paper)
    paper.wait(600.0)
    on_the_page = [(tell.message, tell.facts["status"]) for tell in paper.told if tell.channel == "status-page"]
    assert [said for said in on_the_page if said[1] == "resolved"] == [("resolution-customers", "resolved")]


def test_a_controller_that_died_over_the_end_leaves_it_to_the_next_one() -> None:
    paper = declared("database-corruption")
    carry_out(paper)
    left = left_at_the_end(paper)
    assert left.incident.ended and not RESOLUTIONS & due(left)
    left.wait(1200.0)
    assert {message for message, _, _ in told(left)} == RESOLUTIONS, "late, but told"


def test_what_no_channel_took_at_the_end_is_tried_until_it_is_due_and_then_given_up_aloud() -> None:
    paper = declared("database-corruption")
    paper.broken_channels = frozenset({"email"})
    carry_out(paper)
    paper.broken_channels = frozenset({"email", "slack"})
    for _ in range(240):
        paper.wait(15.0)
    given_up = {
        (record.body["message"], record.body["channel"])
        for record in paper.records
        if record.kind == Kind.NOTIFICATION_GIVEN_UP and record.body["message"] in RESOLUTIONS
    }
    assert given_up == {(message, "email") for message in RESOLUTIONS}
    sent = {record.body["key"] + record.body["channel"] for record in paper.records if record.kind == Kind.NOTIFICATION_SENT}
    begun = {record.body["key"] + record.body["channel"] for record in paper.records if record.kind == Kind.NOTIFICATION_INTENDED}
    ended = {record.body["key"] + record.body["channel"] for record in paper.records if record.kind == Kind.NOTIFICATION_GIVEN_UP}
    of_the_plan = {one for one in begun - sent - ended if not one.startswith(("inc-1-1/call", "inc-1-1/decision"))}
    assert of_the_plan == set(), "nothing that the plan owed is left neither sent nor given up"


def test_what_was_over_for_a_day_before_a_controller_came_back_is_no_news() -> None:
    paper = declared("database-corruption")
    carry_out(paper)
    left = left_at_the_end(paper)
    left.wait(DAY * 2)
    assert told(left) == []


def test_nobody_hears_of_the_end_of_what_was_decided_against() -> None:
    paper = Paper()
    paper.lose_region()
    assert paper.command("refuse", "exercise-two", reason="a test of the alarm").startswith("accepted")
    paper.region_answers()
    paper.wait(3600.0)
    assert paper.incident.state is State.STOOD_DOWN
    assert told(paper) == [] and not RESOLUTIONS & due(paper)
