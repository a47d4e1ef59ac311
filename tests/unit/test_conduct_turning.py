"""Turning back, told as nights on call: what an abort undoes, what it can't, and that it always comes to an end."""

import pytest

from holdfast.conduct.attesting import is_attested
from holdfast.conduct.policy import answered
from holdfast.conduct.situation import Command, LossBound, Write
from holdfast.conduct.turning import outlook
from holdfast.console.state import state
from holdfast.console.view import Heard, view
from holdfast.decision.table import State
from holdfast.journal.kinds import Kind
from holdfast.journal.record import first_break
from unit.conduct_on_paper import DR, PRIMARY, Paper

ONE, TWO, CONDUCTOR = "exercise-one", "exercise-two", "exercise-three"


def fencing(paper: Paper) -> Paper:
    """Approved, and in the middle of its fence."""
    paper.hangs = frozenset({"fence"})
    paper.lose_region()
    paper.approve(ONE, TWO)
    assert ("failover", "fence") in paper.in_flight
    return paper


def abort(paper: Paper, by: str = CONDUCTOR) -> str:
    return paper.command("abort", by, incident=paper.incident.incident, reason="the provider is back")


def test_in_the_middle_of_the_fence_everything_goes_back_and_every_component_is_named() -> None:
    paper = fencing(Paper())
    assert abort(paper).startswith("accepted")
    assert paper.incident.state is State.TURNED_BACK
    assert (paper.installation.era, paper.installation.epoch, paper.installation.serving) == (0, 1, PRIMARY)
    assert paper.installation.used == (0, 2), "an epoch that was withdrawn is never used again"
    assert paper.begun[-4:] == [f"withdraw-{DR}", f"withdraw-{PRIMARY}", "undo-scale-up", "prove-service"]
    states = paper.incident.turned_back
    assert states is not None
    assert states["database"] == {PRIMARY: "writer", DR: "replica, never promoted"}
    assert states["application"][DR] == "standby size, version of the move"
    assert set(states) == set(paper.plan.components)
    assert paper.in_flight == frozenset(), "nobody waits for the fence any more"
    assert first_break(paper.records) is None


def test_the_source_is_told_only_after_the_target_knows() -> None:
    paper = fencing(Paper())
    paper.outcomes["withdraw"] = "unknown"
    abort(paper)
    paper.wait(60.0)
    assert f"withdraw-{DR}" in paper.begun
    assert f"withdraw-{PRIMARY}" not in paper.begun
    assert not [record for record in paper.records if record.kind == Kind.EPOCH_WITHDRAWN]


def test_what_the_target_does_not_know_is_not_passed_over() -> None:
    paper = fencing(Paper())
    paper.outcomes["withdraw"] = "unknown"
    abort(paper)
    for _ in range(20):
        paper.wait(5.0)
    assert paper.incident.state is State.NEEDS_PERSON
    said = paper.command("choose", CONDUCTOR, step=f"withdraw-{DR}", choice="skip", reason="it is dead")
    assert said == f"refused: skip is no choice for withdraw-{DR}; choose one of: retry"
    del paper.outcomes["withdraw"]
    paper.command("choose", CONDUCTOR, step=f"withdraw-{DR}", choice="retry")
    assert paper.incident.state is State.TURNED_BACK


def test_a_silent_source_may_be_passed_over_and_the_table_says_so() -> None:
    paper = fencing(Paper())
    paper.outcomes[f"withdraw-{PRIMARY}"] = "unknown"
    abort(paper)
    for _ in range(20):
        paper.wait(5.0)
    assert paper.incident.state is State.NEEDS_PERSON
    paper.command("choose", CONDUCTOR, step=f"withdraw-{PRIMARY}", choice="skip", reason="its host is burnt down")
    assert paper.incident.state is State.TURNED_BACK
    assert paper.incident.turned_back is not None
    assert "not told" in paper.incident.turned_back["database"][PRIMARY]


def test_before_any_approval_there_is_nothing_to_undo() -> None:
    paper = Paper()
    paper.lose_region()
    assert abort(paper).startswith("accepted")
    assert paper.incident.state is State.TURNED_BACK
    assert paper.begun == []
    assert paper.installation.used == (0, 1)


def test_what_was_aborted_is_not_opened_again_by_the_same_suspicion() -> None:
    paper = fencing(Paper())
    paper.hangs = frozenset()
    abort(paper)
    paper.wait(120.0)
    assert len(paper.installation.incidents) == 1
    paper.region_answers()
    paper.lose_region()
    assert len(paper.installation.incidents) == 2
    paper.approve(ONE, TWO)
    assert paper.installation.epoch == 3


def test_after_a_promotion_was_ordered_it_halts_and_can_be_finished() -> None:
    paper = Paper()
    paper.hangs = frozenset({"settings.update"})
    paper.lose_region()
    paper.approve(ONE, TWO)
    said = abort(paper)
    assert said.startswith("accepted")
    assert "go-on" in said
    assert paper.incident.state is State.HALTED
    begun = list(paper.begun)
    paper.wait(300.0)
    assert paper.begun == begun
    assert paper.installation.serving == DR, "the target stays the writer"
    paper.hangs, paper.in_flight = frozenset(), frozenset()
    paper.restart()
    paper.region_answers()
    paper.settle()
    assert paper.incident.state is State.HALTED, "a controller that takes over begins nothing either"
    assert paper.command("go-on", CONDUCTOR).startswith("accepted")
    assert paper.incident.state is State.RECOVERED


def test_after_a_halt_the_planned_way_home_is_open_once_the_writers_are_promoted() -> None:
    paper = Paper()
    paper.hangs = frozenset({"redis.promote"})
    paper.lose_region()
    paper.approve(ONE, TWO)
    abort(paper)
    assert "promote-cache is not done" in paper.command("failback", CONDUCTOR)
    paper.hangs = frozenset({"settings.update"})
    paper.in_flight = frozenset()
    paper.restart()
    paper.command("go-on", CONDUCTOR)
    abort(paper)
    paper.hangs, paper.in_flight = frozenset(), frozenset()
    paper.region_answers()
    assert paper.command("failback", CONDUCTOR).startswith("accepted")
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.CLOSED
    assert paper.installation.serving == PRIMARY


def returning(paper: Paper) -> Paper:
    """Recovered in DR, and in the middle of the fence of the way home."""
    paper.lose_region()
    paper.approve(ONE, TWO)
    paper.region_answers()
    paper.hangs = frozenset({"fence"})
    paper.command("failback", CONDUCTOR)
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.RETURNING
    return paper


def test_the_way_home_is_turned_back_to_where_service_is_and_can_be_taken_again() -> None:
    paper = returning(Paper())
    assert abort(paper).startswith("accepted")
    assert paper.incident.state is State.RECOVERED
    assert (paper.installation.epoch, paper.installation.serving) == (2, DR)
    assert paper.begun[-4:] == [f"withdraw-{PRIMARY}", f"withdraw-{DR}", "undo-drain-dr", "prove-service"]
    paper.hangs = frozenset()
    paper.command("failback", CONDUCTOR)
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.CLOSED
    assert (paper.installation.epoch, paper.installation.serving) == (4, PRIMARY)


@pytest.mark.parametrize("verb", ["failover", "way-back"])
def test_killed_at_every_append_of_an_abort_the_next_controller_ends_it(verb: str) -> None:
    whole = fencing(Paper()) if verb == "failover" else returning(Paper())
    before = len(whole.batches)
    abort(whole)
    end = whole.incident.state
    for batches in range(before, len(whole.batches)):
        left = whole.cut_after(batches)
        left.wait(10.0)
        assert left.incident.state is end, f"cut after {batches}"
        assert left.installation.serving == whole.installation.serving
        assert left.incident.turned_back == whole.incident.turned_back


@pytest.mark.parametrize(
    ("by", "incident", "why"),
    [("nobody", None, "nobody in the plan"), (CONDUCTOR, "inc-9-9", "is the open incident, not inc-9-9")],
)
def test_who_may_not_and_what_is_not_there(by: str, incident: str | None, why: str) -> None:
    paper = fencing(Paper())
    assert why in paper.command("abort", by, incident=incident or paper.incident.incident)


def test_where_nothing_is_under_way_the_answer_says_what_remains() -> None:
    paper = Paper()
    paper.lose_region()
    paper.approve(ONE, TWO)
    paper.region_answers()
    assert "`holdfast failback` is the way home" in abort(paper)
    assert paper.incident.state is State.RECOVERED


def test_it_is_said_before_it_is_done() -> None:
    paper = fencing(Paper())
    seen = outlook(paper.plan, paper.installation, paper.incident)
    assert seen.way == "turn-back"
    assert any(DR in line and "never opened" in line for line in seen.undone)
    assert any("epoch 0.2 is used up" in line for line in seen.stays)
    assert any("keeps the version" in line for line in seen.stays)
    assert seen.components["database"][PRIMARY] == "writer"
    _, moves = answered(paper.situation(), Command("c1", "status", CONDUCTOR))
    assert len(moves) == 1, "looking changes nothing"


def test_a_second_set_of_instances_is_said_to_stay() -> None:
    paper = Paper()
    paper.outcomes = {"application.deploy": "refused"}
    fencing(paper)
    assert "start-fresh-set" in paper.begun
    seen = outlook(paper.plan, paper.installation, paper.incident)
    assert any("neither the fresh one nor the one before is removed" in line for line in seen.stays)
    abort(paper)
    states = paper.incident.turned_back
    assert states is not None
    assert states["application"][DR] == "standby size, version of the move, a second set of instances beside the first"


def test_a_pledge_that_no_journal_knows_is_withdrawn() -> None:
    paper = Paper()
    paper.stray = (0, 2)
    paper.settle()
    assert paper.incident.state is State.TURNED_BACK
    assert paper.begun == [f"withdraw-{DR}", f"withdraw-{PRIMARY}", "prove-service"]
    assert (paper.installation.epoch, paper.installation.used, paper.installation.serving) == (1, (0, 2), PRIMARY)


def switching(paper: Paper) -> Paper:
    """A planned switchover in the middle of its fence: the source has died over it."""
    paper.hangs = frozenset({"fence"})
    paper.command("switchover", CONDUCTOR)
    paper.approve(ONE, TWO)
    assert ("failover", "fence") in paper.in_flight
    return paper


def test_a_switchover_goes_on_without_its_source_only_after_people_saw_what_it_may_lose() -> None:
    paper = switching(Paper())
    paper.loss = LossBound(4.2, 50)
    assert paper.command("go-on", CONDUCTOR, ungracefully=True, reason="its host is gone").startswith("accepted")
    proposal = paper.incident.proposal
    assert proposal is not None
    assert (proposal.mode, proposal.loss_bound_seconds, proposal.epoch) == ("ungraceful", 4.3, 2)
    begun = list(paper.begun)
    paper.wait(30.0)
    assert paper.begun == begun, "nothing touches a writer before they have decided again"
    paper.hangs = frozenset()
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.RECOVERED
    assert [r.body["epoch"] for r in paper.records if r.kind == Kind.EPOCH_OPENED] == [2], "the epoch goes on"
    fences = [r.body["mode"] for r in paper.records if r.kind == Kind.STEP_INTENDED and r.body["block"] == "fence"]
    assert fences == ["graceful", "ungraceful"]


def test_what_is_asked_again_is_not_refused_but_aborted() -> None:
    paper = switching(Paper())
    paper.command("go-on", CONDUCTOR, ungracefully=True)
    assert "holdfast abort" in paper.command("refuse", ONE, reason="no")
    assert abort(paper).startswith("accepted")
    assert paper.incident.state is State.TURNED_BACK


@pytest.mark.parametrize(("loss", "asked"), [(2.0, False), (3.6, False), (4.1, True), (None, True)])
def test_more_loss_at_the_fence_than_approved_is_asked_about_before_anything_is_promoted(loss: float | None, asked: bool) -> None:
    paper = Paper()
    paper.fence_loss = loss
    paper.lose_region()
    paper.approve(ONE, TWO)
    taken = {"promote-database", "promote-cache", "activate-bucket"}
    assert set(paper.begun) & taken == (set() if asked else taken), "a bucket is held to what people approved as a writer is"
    if asked:
        proposal = paper.incident.proposal
        assert proposal is not None
        assert proposal.loss_bound_seconds == (None if loss is None else 4.2)
        paper.approve(ONE, TWO, accepts_loss=True)
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED


def attests(paper: Paper, person: str, region: str = PRIMARY) -> str:
    return paper.command("attest", person, region=region, reason="the operator says it has no power")


def test_two_people_stand_for_the_word_of_a_dead_source() -> None:
    paper = switching(Paper())
    assert "1 of 2" in attests(paper, ONE)
    assert "another person is needed" in attests(paper, ONE), "nobody attests twice"
    assert "fills none of the roles" in attests(paper, CONDUCTOR)
    assert ("failover", "fence") in paper.in_flight
    paper.hangs, paper.fence_loss = frozenset(), 2.0
    assert attests(paper, TWO).startswith("accepted")
    assert is_attested(paper.incident, "failover")
    assert "promote-database" not in paper.begun, "an orderly stop loses nothing; without one people are asked about the loss"
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.RECOVERED


def test_an_attestation_counts_for_its_own_epoch_only() -> None:
    paper = switching(Paper())
    attests(paper, ONE)
    abort(paper)
    paper.hangs = frozenset({"fence"})
    paper.command("switchover", CONDUCTOR)
    paper.approve(ONE, TWO)
    attests(paper, TWO)
    assert not is_attested(paper.incident, "failover")


def test_two_people_stand_for_a_target_that_cannot_be_told_to_turn_back() -> None:
    paper = fencing(Paper())
    paper.outcomes[f"withdraw-{DR}"] = "unknown"
    abort(paper)
    for _ in range(20):
        paper.wait(5.0)
    assert "nothing waits for the word" in attests(paper, ONE, PRIMARY)
    attests(paper, ONE, DR)
    assert paper.incident.state is State.NEEDS_PERSON
    attests(paper, TWO, DR)
    assert paper.incident.state is State.TURNED_BACK
    assert paper.installation.epoch == 1


def test_while_it_is_paused_nothing_is_opened_decided_or_begun_by_itself() -> None:
    paper = Paper()
    assert "say why" in paper.command("pause", CONDUCTOR)
    assert paper.command("pause", CONDUCTOR, reason="work on the links").startswith("accepted")
    paper.lose_region()
    paper.wait(120.0)
    assert not paper.installation.incidents
    paper.restart()
    assert paper.installation.paused is not None, "the next controller knows it"
    paper.command("resume", CONDUCTOR)
    paper.settle()
    assert paper.incident.state is State.AWAITING_APPROVAL
    paper.command("pause", CONDUCTOR, reason="once more")
    assert [said[:8] for said in paper.approve(ONE, TWO)] == ["accepted", "accepted"], "approvals go on"
    assert paper.begun == [] and paper.installation.epoch == 1
    paper.wait(paper.plan.approval.activation.answer_within + 60.0)
    paper.command("resume", CONDUCTOR)
    paper.settle()
    assert paper.installation.epoch == 2, "they were given in time, however long the pause took"


def test_a_pause_in_the_middle_lets_the_fence_of_a_lost_region_and_an_abort_go_on() -> None:
    paper = fencing(Paper())
    paper.outcomes["fence"] = "unknown"
    paper.hangs, paper.in_flight = frozenset(), frozenset()
    paper.command("pause", CONDUCTOR, reason="wait")
    paper.restart()
    fences = paper.begun.count("fence")
    del paper.outcomes["fence"]
    paper.wait(5.0)
    assert paper.begun.count("fence") == fences + 1
    assert "promote-database" not in paper.begun
    assert abort(paper).startswith("accepted")
    assert paper.incident.state is State.TURNED_BACK


def test_who_asked_for_a_switchover_takes_it_back() -> None:
    paper = Paper()
    paper.command("switchover", ONE)
    assert paper.command("refuse", ONE, reason="not today").startswith("accepted")
    assert paper.incident.state is State.STOOD_DOWN


def test_where_dr_serves_without_an_incident_a_switchover_is_the_way_home() -> None:
    paper = Paper()
    paper.write([Write(Kind.CONTROLLER_STARTED, "", {"term": 2, "era": 0, "epoch": 2, "serving": DR, "resumed": False, "profile": "fast"})])
    assert paper.command("switchover", ONE).startswith("accepted")
    assert paper.incident.state is State.AWAITING_RETURN_APPROVAL
    assert "can't approve it" in paper.approve(ONE)[0]
    paper.command("refuse", ONE, reason="by somebody else")
    paper.command("failback", CONDUCTOR)
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.CLOSED
    assert (paper.installation.epoch, paper.installation.serving) == (3, PRIMARY)


def test_after_the_loss_of_the_serving_dr_region_the_incident_ends_at_home() -> None:
    paper = Paper()
    paper.write([Write(Kind.CONTROLLER_STARTED, "", {"term": 2, "era": 0, "epoch": 2, "serving": DR, "resumed": False, "profile": "fast"})])
    paper.command("declare", "ines-carvalho")
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.RECOVERED and paper.installation.serving == PRIMARY
    assert paper.command("failback", CONDUCTOR).startswith("accepted")
    assert paper.incident.state is State.CLOSED
    assert paper.installation.serving == PRIMARY


def test_what_readers_are_shown_holds_at_every_moment_of_an_abort() -> None:
    for verb in (fencing, returning):
        paper = verb(Paper())
        paper.hangs |= {"withdraw"}
        abort(paper)
        now = state(paper.situation(), 1.0, None, {})
        shown = view(Heard({**now, "hears": []}), now["now_seconds"])
        assert now["incident"]["state"] == "turning-back"
        assert f"withdraw-{DR if verb is fencing else PRIMARY}" in [step["id"] for step in now["incident"]["steps"]]
        assert shown.headline.text
        paper.hangs, paper.in_flight = frozenset(), frozenset()
        paper.restart()
        paper.settle()
        assert state(paper.situation(), 1.0, None, {})["incident"]["turned_back"] is not None


def test_a_pause_and_a_dismissed_suspicion_are_the_first_thing_that_status_says() -> None:
    paper = fencing(Paper())
    paper.hangs = frozenset()
    abort(paper)
    paper.command("pause", CONDUCTOR, reason="work on the links")
    now = state(paper.situation(), 1.0, None, {})
    said = view(Heard(now), now["now_seconds"]).headline.text
    assert said.startswith(f"AUTOMATIC ACTION IS PAUSED by {CONDUCTOR}")
    assert "opens nothing by itself until it clears" in said
