"""The policy, told as nights on call: what Holdfast does next, and what it must never do."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.conduct.policy import next_moves
from holdfast.conduct.situation import Alarm, FunctionHit, LossBound, Write
from holdfast.console.asked import asked
from holdfast.console.state import state as as_shown
from holdfast.decision.table import ENDED, TRANSITIONS, Event, State, diagram, next_state
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.journal.record import first_break
from unit.conduct_on_paper import DR, LOADED, PRIMARY, START, Paper, approval_rule, lost_and_approved

ONE, TWO = "exercise-one", "exercise-two"


def test_a_lost_region_is_proposed_and_nothing_is_touched_before_two_people_approve() -> None:
    paper = Paper()
    paper.lose_region()
    assert paper.incident.state is State.AWAITING_APPROVAL
    assert paper.begun == []
    paper.approve(ONE)
    assert paper.begun == []
    paper.approve(TWO)
    assert paper.begun[0] == "fence" or "fence" in paper.begun
    assert paper.installation.epoch == 2


def test_the_whole_way_there_and_back_ends_closed_with_an_unbroken_journal() -> None:
    paper = lost_and_approved(Paper())
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED
    assert paper.installation.serving == DR
    assert paper.command("failback", ONE).startswith("accepted")
    assert paper.incident.state is State.AWAITING_RETURN_APPROVAL
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.AWAITING_RETURN_APPROVAL, "who asked for the way back can't approve it"


def test_the_requester_of_the_way_back_is_not_an_approver() -> None:
    paper = lost_and_approved(Paper())
    paper.region_answers()
    paper.command("failback", "ines-carvalho")
    said = paper.approve(ONE, TWO)
    assert said == ["accepted: approval 1 of 2", "accepted: approval 2 of 2"]
    assert paper.incident.state is State.CLOSED
    assert paper.installation.serving == PRIMARY
    assert paper.installation.epoch == 3
    assert first_break(paper.records) is None


def test_an_intent_stands_in_the_journal_before_every_outcome_and_orders_only_grow() -> None:
    paper = lost_and_approved(Paper())
    paper.region_answers()
    intents: list[Order] = []
    for record in paper.records:
        if record.kind == Kind.STEP_INTENDED:
            order = Order.from_list(list(record.body["order"]))
            assert not intents or order > intents[-1]
            intents.append(order)
    assert len(intents) > 10


def test_promotion_never_starts_before_the_fence_is_confirmed_even_when_the_plan_says_so() -> None:
    scenario = LOADED.plan.scenarios["regional-outage"]
    phases = tuple(
        phase.model_copy(
            update={
                "steps": tuple(
                    step.model_copy(update={"after": ("approve",)}) if step.block == "postgres.promote" else step for step in phase.steps
                )
            }
        )
        for phase in scenario.phases
    )
    reckless = LOADED.plan.model_copy(update={"scenarios": {"regional-outage": scenario.model_copy(update={"phases": phases})}})
    paper = Paper(plan=reckless)
    paper.outcomes["fence"] = "unknown"
    lost_and_approved(paper)
    assert "promote-database" not in paper.begun
    assert paper.incident.state is State.NEEDS_PERSON


def test_an_approval_of_something_else_counts_for_nothing() -> None:
    paper = Paper()
    paper.lose_region()
    assert "not what is proposed now" in paper.command("approve", ONE, hash="0" * 64)
    assert paper.incident.approvals == ()


@pytest.mark.parametrize(
    ("person", "why"),
    [("nobody", "nobody who may approve"), ("aoife-brennan", "nobody who may approve")],
)
def test_only_the_enrolled_decide_in_an_exercise(person: str, why: str) -> None:
    paper = Paper()
    paper.lose_region()
    assert why in paper.approve(person)[0]


def test_the_same_person_twice_is_one_approval() -> None:
    paper = Paper()
    paper.lose_region()
    first, second = paper.approve(ONE, ONE)
    assert first.startswith("accepted")
    assert "has approved already" in second
    assert paper.begun == []


def test_exercise_people_decide_nothing_in_a_real_incident() -> None:
    paper = Paper(exercise=None)
    paper.lose_region()
    assert "nobody who may approve" in paper.approve(ONE)[0]
    paper.approve("aoife-brennan", "matteo-ricci")
    assert paper.incident.state is not State.AWAITING_APPROVAL


def test_when_the_loss_grew_the_approvals_are_void_and_people_are_asked_again() -> None:
    paper = Paper()
    paper.lose_region()
    before = paper.incident.proposal
    paper.approve(ONE)
    paper.loss = LossBound(9.0, 100)
    paper.approve(TWO)
    after = paper.incident.proposal
    assert before is not None and after is not None
    assert after.hash != before.hash
    assert paper.incident.approvals == ()
    assert paper.begun == []


@pytest.mark.parametrize("loss", [LossBound(None, None), LossBound(3600.0, 5000)])
def test_an_unknown_loss_or_one_above_the_rpo_needs_a_named_human_who_accepts_it(loss: LossBound) -> None:
    paper = Paper()
    paper.loss = loss
    paper.lose_region()
    paper.approve(ONE, TWO)
    assert paper.begun == []
    assert paper.incident.state is State.AWAITING_APPROVAL


def test_a_human_who_accepts_the_loss_lets_it_go_on() -> None:
    paper = Paper()
    paper.loss = LossBound(None, None)
    paper.lose_region()
    paper.approve(ONE, TWO, accepts_loss=True)
    assert "fence" in paper.begun


def test_silence_is_not_consent() -> None:
    paper = Paper()
    paper.lose_region()
    first = paper.incident.proposal
    paper.wait(31 * 60)
    second = paper.incident.proposal
    assert first is not None and second is not None and first.hash != second.hash
    assert paper.begun == []


def test_silence_stands_down_where_the_plan_says_so() -> None:
    paper = Paper(plan=approval_rule(LOADED.plan, if_unanswered="stand-down"))
    paper.lose_region()
    paper.wait(31 * 60)
    assert paper.incident.state is State.STOOD_DOWN
    assert Kind.INCIDENT_CLOSED in paper.kinds()


def test_a_cause_that_goes_away_before_the_decision_changes_nothing() -> None:
    paper = Paper()
    paper.lose_region()
    paper.region_answers()
    paper.wait(1)
    assert paper.incident.state is State.AWAITING_APPROVAL, "a moment of calm is not the end of a cause"
    shown = asked(as_shown(paper.situation(), 1.0, None, {}))[0].text
    assert "has not been seen for 1 s: nothing is moved while that is so, and in 4 s the incident stands down" in shown
    paper.wait(5)
    assert paper.incident.state is State.STOOD_DOWN
    assert paper.begun == []


def test_observers_that_fall_silent_are_no_word_that_a_lost_region_is_well() -> None:
    paper = Paper()
    everyone = frozenset(paper.plan.observers)
    paper.observers_heard = everyone
    paper.lose_region()
    paper.observers_heard = frozenset({"witness"})
    paper.region_answers()
    paper.wait(600)
    assert paper.incident.state is State.AWAITING_APPROVAL, "nobody sees that it is well"
    assert "has not been seen" not in asked(as_shown(paper.situation(), 1.0, None, {}))[0].text
    paper.observers_heard = everyone - {"outside"}
    paper.wait(1)
    assert paper.incident.state is State.AWAITING_APPROVAL, "and the time of their silence was no calm"
    paper.wait(5)
    assert paper.incident.state is State.STOOD_DOWN


def test_the_time_in_which_no_controller_ran_was_no_calm_and_one_that_hears_nobody_yet_clears_nothing() -> None:
    paper = Paper()
    everyone = paper.observers_heard
    paper.lose_region()
    paper.observers_heard, paper.alarms = None, ()
    paper.restart()
    paper.wait(1)
    assert (PRIMARY, "network-lost") in paper.installation.suspicions, "nobody has said yet that it is over"
    paper.observers_heard = everyone
    paper.region_answers()
    assert (PRIMARY, "network-lost") not in paper.installation.suspicions
    paper.now += 600
    paper.restart()
    paper.settle()
    assert paper.incident.state is State.AWAITING_APPROVAL
    paper.wait(5)
    assert paper.incident.state is State.STOOD_DOWN


def test_forty_three_seconds_move_nothing_in_the_default_profile() -> None:
    paper = Paper(profile="default")
    paper.alarms = (Alarm(PRIMARY, "network-lost", False, START, "silence", None),)
    for _ in range(43):
        paper.wait(1)
    paper.alarms = ()
    paper.wait(1)
    assert paper.installation.incidents == {}
    assert Kind.SUSPICION_CLEARED in paper.kinds()


def test_a_step_that_keeps_failing_asks_a_person_and_goes_on_when_told() -> None:
    paper = Paper()
    paper.outcomes["postgres.promote"] = "failed"
    lost_and_approved(paper)
    for _ in range(20):
        paper.wait(6)
    assert paper.incident.state is State.NEEDS_PERSON
    assert paper.begun.count("promote-database") == 3
    assert "update-settings" not in paper.begun
    del paper.outcomes["postgres.promote"]
    assert paper.command("choose", ONE, step="promote-database", choice="retry") == "accepted"
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED


def test_a_refusal_by_the_effector_is_never_tried_again() -> None:
    paper = Paper()
    paper.outcomes["dns.switch"] = "refused"
    lost_and_approved(paper)
    paper.wait(60)
    assert paper.begun.count("switch-dns") == 1
    assert paper.incident.state is State.NEEDS_PERSON


def test_people_can_decide_against_it() -> None:
    paper = Paper()
    paper.lose_region()
    assert paper.command("refuse", ONE, reason="back in five minutes").startswith("accepted")
    assert paper.incident.state is State.STOOD_DOWN
    assert paper.begun == []


def test_a_planned_switchover_is_proposed_with_no_loss() -> None:
    paper = Paper()
    assert paper.command("switchover", "aoife-brennan").startswith("accepted")
    proposal = paper.incident.proposal
    assert proposal is not None
    assert (proposal.mode, proposal.loss_bound_seconds) == ("graceful", 0.0)


def test_confirm_waits_until_clients_get_what_was_promised_and_then_asks() -> None:
    paper = lost_and_approved(Paper())
    assert paper.incident.state is State.ACTIVATING, "functions are still down, so nothing is confirmed"
    paper.wait(120)
    assert paper.incident.state is State.NEEDS_PERSON


def test_silence_does_not_confirm_that_the_service_is_back() -> None:
    paper = lost_and_approved(Paper())
    paper.unknown = frozenset({"voice"})
    paper.region_answers()
    assert paper.incident.state is State.ACTIVATING, "nobody can say how voice is served"
    paper.wait(120)
    assert paper.incident.state is State.NEEDS_PERSON
    assert "voice" in [record.body["reason"] for record in paper.records if record.kind == Kind.STEP_WAITING][-1]


@given(st.integers(min_value=0, max_value=60))
@settings(max_examples=40, deadline=None)
def test_a_controller_that_dies_after_any_record_is_replaced_and_the_run_ends_the_same(survivors: int) -> None:
    whole = lost_and_approved(Paper())
    whole.region_answers()
    cut_off = whole.cut_after(survivors)
    if not cut_off.installation.incidents or cut_off.incident.state in (State.DECLARED, State.AWAITING_APPROVAL):
        cut_off.lose_region()
        cut_off.approve(*(who for who in (ONE, TWO) if who not in [given.person for given in cut_off.incident.approvals]))
    for _ in range(30):
        cut_off.region_answers()
        cut_off.wait(6)
    assert cut_off.incident.state is State.RECOVERED
    assert cut_off.installation.serving == DR


def test_every_state_that_is_not_an_end_leads_to_one() -> None:
    reached = set(ENDED)
    for _ in State:
        reached |= {before for (before, _), after in TRANSITIONS.items() if after in reached}
    assert reached | {State.NEEDS_PERSON, State.HALTED} == set(State)


def test_an_event_that_means_nothing_changes_nothing() -> None:
    for state, event in itertools.product(State, Event):
        after = next_state(state, event, stuck_in=State.ACTIVATING)
        leads_back = (state, event) in ((State.NEEDS_PERSON, Event.PERSON_CHOSE), (State.HALTED, Event.GONE_ON))
        assert after is None or (state, event) in TRANSITIONS or leads_back


def test_the_diagram_shows_every_transition() -> None:
    drawn = diagram()
    assert all(f"{before.value} --> {after.value}: {event.value}" in drawn for (before, event), after in TRANSITIONS.items())


def test_messages_of_an_exercise_reach_only_stand_ins_and_are_never_sent_twice() -> None:
    paper = lost_and_approved(Paper())
    deliveries = [(tell.key, tell.channel, tell.recipient) for tell in paper.told]
    assert deliveries
    assert len(deliveries) == len(set(deliveries))
    assert {tell.recipient for tell in paper.told} <= {ONE, TWO, "exercise-four"} | {
        name for name in (t.recipient for t in paper.told) if name.startswith("exercise:")
    }
    paper.restart()
    before = len(paper.told)
    paper.settle()
    assert len(paper.told) == before


def test_severity_follows_the_worst_function_and_never_falls() -> None:
    paper = Paper()
    paper.hit = (FunctionHit("configuration", START, True),)
    paper.alarms = (Alarm(PRIMARY, "region-score", True, START, "score 40", 40.0),)
    paper.settle()
    assert paper.incident.severity == "P3"
    paper.hit = (FunctionHit("voice", START, True), *paper.hit)
    paper.settle()
    assert paper.incident.severity == "P1"
    paper.hit = ()
    paper.settle()
    assert paper.incident.severity == "P1"


def test_a_silent_observer_is_recorded_once_and_again_when_it_answers() -> None:
    paper = Paper()
    everyone = frozenset(paper.plan.observers)
    for heard in (everyone, everyone, everyone - {"outside"}, everyone - {"outside"}, everyone):
        paper.observers_heard = heard
        paper.wait(1)
    seen = [record.body["silent"] for record in paper.records if record.kind == Kind.OBSERVERS_SEEN]
    assert seen == [["outside"], []]


def test_an_epoch_that_was_named_in_vain_is_never_used_again() -> None:
    paper = Paper()
    known = {"era": 0, "epoch": 1, "serving": PRIMARY, "resumed": True, "profile": "fast"}
    paper.write([Write(Kind.CONTROLLER_STARTED, "", {"term": 2, "used": [0, 6], **known})])
    lost_and_approved(paper)
    assert paper.installation.epoch == 7


def test_nothing_to_do_means_no_moves() -> None:
    assert next_moves(Paper().situation()) == ()


def test_the_drawing_in_the_docs_is_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "incident.md").read_text()
    assert f"```mermaid\n{diagram()}```" in page
