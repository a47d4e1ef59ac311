"""Who decides, and on what: requesters, the people of the occasion, and approvals that a change voids."""

import pytest

from holdfast.conduct.messages import STEPS_FIRST_SECONDS
from holdfast.conduct.policy import answered
from holdfast.conduct.situation import Command
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan, Step
from unit.conduct_on_paper import LOADED, Paper

ONE, TWO = "exercise-one", "exercise-two"


def test_who_declares_a_region_lost_is_not_an_approver_of_the_failover() -> None:
    paper = Paper()
    assert paper.command("declare", ONE).startswith("accepted")
    assert "requested this" in paper.approve(ONE)[0]
    paper.approve(TWO)
    assert paper.incident.state is State.AWAITING_APPROVAL
    assert paper.begun == []


def test_a_refused_wish_makes_nobody_the_requester() -> None:
    paper = Paper()
    paper.lose_region()
    assert paper.command("declare", ONE).startswith("refused")
    assert paper.command("failback", ONE).startswith("refused")
    paper.approve(ONE, TWO)
    assert paper.incident.state is not State.AWAITING_APPROVAL
    paper.region_answers()
    paper.command("failback", ONE)
    assert paper.command("failback", TWO).startswith("refused")
    assert "requested this" in paper.approve(ONE)[0]


def test_an_approval_under_another_plan_is_void() -> None:
    paper = Paper()
    paper.lose_region()
    paper.approve(ONE)
    seen = paper.incident.proposal
    paper.plan_digest = "another"
    paper.restart()
    paper.approve(TWO)
    asked_again = paper.incident.proposal
    assert seen is not None and asked_again is not None
    assert asked_again.hash != seen.hash
    assert paper.begun == []


def test_an_approval_of_an_epoch_that_is_not_the_next_any_more_is_void() -> None:
    paper = Paper()
    paper.lose_region()
    paper.approve(ONE)
    paper.restart(epoch=7)
    paper.approve(TWO)
    assert paper.begun == []
    assert paper.installation.epoch == 7
    assert paper.incident.proposal is not None and paper.incident.proposal.epoch == 8


def test_stand_ins_decide_nothing_in_a_real_incident_when_a_controller_for_an_exercise_takes_over() -> None:
    paper = Paper(exercise=None)
    paper.lose_region()
    paper.exercise = "exercise-7"
    paper.restart()
    assert "nobody who may approve" in paper.approve(ONE)[0]
    assert paper.approve("aoife-brennan")[0].startswith("accepted")


def with_a_call_before_the_approval() -> Plan:
    scenario = LOADED.plan.scenarios["regional-outage"]
    call = Step(id="call-the-provider", block="manual", parameters={"text": "call the provider"}, after=())
    phases = tuple(
        phase.model_copy(update={"steps": (call, *(_waiting_for(call, step) for step in phase.steps))})
        if any(step.block == "approve" for step in phase.steps)
        else phase
        for phase in scenario.phases
    )
    return LOADED.plan.model_copy(update={"scenarios": {"regional-outage": scenario.model_copy(update={"phases": phases})}})


def _waiting_for(call: Step, step: Step) -> Step:
    return step.model_copy(update={"after": (call.id,)}) if step.block == "approve" else step


def test_a_step_that_waits_for_a_person_before_the_decision_can_be_answered() -> None:
    paper = Paper(plan=with_a_call_before_the_approval())
    paper.lose_region()
    assert paper.incident.proposal is None
    assert paper.command("choose", ONE, step="call-the-provider", choice="done", reason="they know") == "accepted"
    assert paper.incident.proposal is not None


def test_another_plan_than_was_approved_moves_neither_writers_nor_traffic() -> None:
    paper = Paper()
    paper.outcomes["fence"] = "failed"
    paper.lose_region()
    paper.approve(ONE, TWO)
    paper.plan_digest, approved = "another", paper.plan_digest
    paper.outcomes.clear()
    paper.restart()
    before = len(paper.begun)
    paper.wait(10)
    assert {"fence", "promote-database", "switch-dns"}.isdisjoint(paper.begun[before:])
    assert paper.incident.state is State.NEEDS_PERSON
    paper.plan_digest = approved
    paper.restart()
    assert paper.command("choose", ONE, step="fence", choice="retry") == "accepted"
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED


def test_a_command_given_twice_is_told_the_same_twice() -> None:
    paper = Paper()
    paper.lose_region()
    command = Command("same", "approve", ONE, {"hash": "0" * 64})
    first, moves = answered(paper.situation(), command)
    paper._make(moves)
    again, nothing = answered(paper.situation(), command)
    assert first.startswith("refused")
    assert (again, nothing) == (first, ())


def test_a_channel_that_is_down_for_a_minute_does_not_cost_the_message() -> None:
    paper = Paper()
    paper.broken_channels = frozenset({"slack"})
    paper.lose_region()
    first = [tell for tell in paper.told if tell.channel == "slack"]
    assert len({(tell.key, tell.recipient) for tell in first}) == len(first), "not tried again at once"
    paper.wait(20)
    paper.wait(20)
    paper.broken_channels = frozenset()
    paper.wait(40)
    sent = {record.body["key"] for record in paper.records if record.kind == Kind.NOTIFICATION_SENT and record.body["channel"] == "slack"}
    assert {tell.key for tell in first} <= sent
    assert first


def test_who_only_exists_for_exercises_does_nothing_in_a_real_incident() -> None:
    paper = Paper(exercise=None)
    assert "stands in only in exercises" in paper.command("declare", ONE)
    paper.outcomes["fence"] = "refused"
    paper.lose_region()
    paper.approve("aoife-brennan", "matteo-ricci")
    assert "stands in only in exercises" in paper.command("choose", ONE, step="fence", choice="done", reason="surely")
    assert paper.command("choose", "ines-carvalho", step="fence", choice="retry") == "accepted"


@pytest.mark.parametrize("verb", ["failback", "go-on", "abort", "choose", "confirm", "ack", "edit-message", "explain"])
def test_who_is_nobody_here_moves_no_open_incident(verb: str) -> None:
    paper = Paper(exercise=None)
    paper.outcomes["fence"] = "refused"
    paper.lose_region()
    paper.approve("aoife-brennan", "matteo-ricci")
    records = len(paper.records)
    said = {"incident": paper.incident.incident, "step": "fence", "choice": "done", "reason": "surely", "ungracefully": True}
    assert "'mallory' is nobody in the plan" in paper.command(verb, "mallory", **said)
    assert "stands in only in exercises" in paper.command(verb, ONE, **said)
    assert paper.kinds()[records:] == [Kind.COMMAND, Kind.COMMAND]


def test_the_clock_of_what_a_person_declares_starts_with_the_first_failure_not_with_the_declaration() -> None:
    paper = Paper()
    paper.lose_region()
    impact = paper.incident.impact_seconds
    paper.command("refuse", "exercise-one", reason="it will be back")
    paper.wait(15.0)
    assert paper.command("declare", "exercise-three").startswith("accepted")
    assert (paper.incident.incident, paper.incident.impact_seconds) == ("inc-1-2", impact)


def test_a_planned_move_has_its_clock_from_the_moment_it_was_asked_for() -> None:
    paper = Paper()
    paper.wait(7.0)
    paper.command("switchover", "exercise-three")
    assert paper.incident.impact_seconds == paper.now


def test_a_refusal_that_crosses_a_new_proposal_refuses_nothing() -> None:
    paper = Paper()
    paper.lose_region()
    shown = paper.incident.proposal
    assert shown is not None
    assert paper.command("refuse", ONE, hash="0" * 64, reason="no").startswith("refused: what is proposed now is not what was refused")
    assert not paper.incident.ended and paper.incident.proposal == shown
    assert paper.command("refuse", ONE, hash=shown.hash, reason="no").startswith("accepted")


def test_what_is_not_urgent_gives_way_to_decision_and_steps_but_not_for_long() -> None:
    paper = Paper()
    paper.hangs = frozenset({"fence"})
    paper.lose_region()
    paper.approve(ONE, TWO)
    assert ("failover", "fence") in paper.in_flight
    assert "incident-alert" in told(paper), "the first alert waits for nothing"
    assert "stakeholders" not in told(paper) and Kind.NOTIFICATION_DUE in paper.kinds(), "owed, and on paper that it is"
    paper.wait(STEPS_FIRST_SECONDS)
    assert {"stakeholders", "executive-briefing"} <= told(paper), "a long fence keeps nothing back"


def told(paper: Paper) -> set[str]:
    return {tell.message for tell in paper.told}
