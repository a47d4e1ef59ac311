"""A planned move and copies that are behind: it is refused, held back or asked about, and its source is never stopped in vain."""

import pytest

from holdfast.conduct.runs import FAILOVER, WAY_BACK, copies_moved
from holdfast.conduct.situation import Alarm
from holdfast.console.asked import asked
from holdfast.console.headline import headline
from holdfast.console.state import state
from holdfast.decision.table import State
from holdfast.fencing.lease import orderly_stop_seconds
from holdfast.journal.kinds import Kind
from unit.conduct_on_paper import DR, LOADED, PRIMARY, Paper

ONE, TWO, CONDUCTOR = "exercise-one", "exercise-two", "ines-carvalho"
FAR = {"database": 1200.0}


def planned(paper: Paper) -> Paper:
    """A planned move that people are asked about."""
    assert paper.command("switchover", CONDUCTOR).startswith("accepted")
    assert paper.incident.state is State.AWAITING_APPROVAL
    return paper


def home_again(paper: Paper) -> Paper:
    """Moved, and everybody is asked about the way home."""
    planned(paper).approve(ONE, TWO)
    assert paper.incident.state is State.RECOVERED
    assert paper.command("failback", CONDUCTOR).startswith("accepted")
    assert paper.incident.state is State.AWAITING_RETURN_APPROVAL
    return paper


def test_an_orderly_stop_has_what_is_left_of_the_lease_and_never_more_than_it_is_given() -> None:
    assert orderly_stop_seconds(15.0) == pytest.approx(11.8)
    assert orderly_stop_seconds(3.0) == pytest.approx(2.2)
    assert orderly_stop_seconds(60.0) == 15.0


def test_a_planned_move_is_refused_while_a_copy_is_far_behind_and_says_how_far_and_what_to_do() -> None:
    paper = Paper()
    paper.lags |= FAR
    said = paper.command("switchover", CONDUCTOR)
    for words in (
        f"refused: PostgreSQL in {DR} is 20 min behind",
        "can wait 2.2 s for it",
        "service down until a person acts",
        "Nothing was changed",
        "holdfast top",
        "holdfast declare",
    ):
        assert words in said
    assert not paper.installation.incidents
    paper.lags |= {"database": 2.0}
    planned(paper)


@pytest.mark.parametrize("lags", [{}, {"database": None}])
def test_what_nobody_has_seen_is_not_near(lags: dict[str, float | None]) -> None:
    paper = Paper()
    paper.lags = {"cache": 0.4, "storage": 1.0, **lags}
    assert f"how far PostgreSQL in {DR} is behind is unknown" in paper.command("switchover", CONDUCTOR)
    assert not paper.installation.incidents


def test_a_bucket_is_held_to_its_rpo_since_no_stop_waits_for_it() -> None:
    paper = Paper()
    paper.lags |= {"storage": 3700.0}
    assert f"Object storage in {DR} is 61 min 40 s behind, more than its RPO of 60 min" in paper.command("switchover", CONDUCTOR)
    paper.lags |= {"storage": 600.0}
    planned(paper)


def test_on_the_way_home_the_bucket_is_reconciled_first_so_that_it_holds_nothing_back() -> None:
    paper = home_again(Paper())
    paper.lags |= {"storage": 7200.0}
    paper.approve(ONE, TWO)
    assert paper.incident.state is State.CLOSED
    assert copies_moved(LOADED.plan, "regional-outage", WAY_BACK) == ("database", "cache", "storage")
    assert copies_moved(LOADED.plan, "application-failover", FAILOVER) == ()


def test_a_copy_that_fell_behind_while_people_were_asked_keeps_the_decision_back_until_it_is_near_again() -> None:
    paper = planned(Paper())
    paper.lags |= FAR
    said = paper.approve(ONE, TWO)
    assert f"but PostgreSQL in {DR} is 20 min behind" in said[-1]
    assert "nothing begins while that is so" in said[-1]
    paper.wait(60.0)
    assert Kind.DECIDED not in paper.kinds()
    assert paper.begun == []
    now = state(paper.situation(), 0.0, None, {})
    assert now["acting"] == [], "one more approval would change nothing"
    assert "is approved and waits for its copies" in headline(now, paper.now).text
    shown = [line.text for line in asked(now)]
    assert any(text.startswith(f"it does not begin while PostgreSQL in {DR} is 20 min behind") for text in shown)
    paper.lags |= {"database": 0.5}
    paper.wait(1.0)
    assert paper.incident.state is State.RECOVERED, "what people approved stands"


def test_what_was_approved_and_could_not_begin_in_its_time_ends_and_nothing_was_changed() -> None:
    paper = planned(Paper())
    paper.lags |= FAR
    paper.approve(ONE, TWO)
    paper.wait(LOADED.plan.approval.activation.answer_within)
    assert paper.incident.state is State.STOOD_DOWN
    (closed,) = (record.body for record in paper.incident.records if record.kind == Kind.INCIDENT_CLOSED)
    assert f"PostgreSQL in {DR} is 20 min behind" in closed["reason"]
    assert (paper.begun, paper.installation.epoch) == ([], 1)


def test_the_way_home_is_kept_back_too_and_service_stays_where_it_is() -> None:
    paper = home_again(Paper())
    begun = len(paper.begun)
    paper.lags |= {"cache": None}
    assert f"how far Redis in {PRIMARY} is behind is unknown" in paper.approve(ONE, TWO)[-1]
    assert len(paper.begun) == begun
    paper.wait(LOADED.plan.approval.activation.answer_within)
    assert paper.incident.state is State.RECOVERED
    assert paper.installation.serving == DR
    assert paper.command("failback", CONDUCTOR).startswith("accepted")


def test_a_copy_that_falls_behind_after_the_decision_is_waited_for_shortly_and_then_a_person_is_asked_before_anything_is_stopped() -> None:
    paper = home_again(Paper())
    paper.hangs = frozenset({"loadbalancer.drain"})
    paper.approve(ONE, TWO)
    assert paper.begun[-1] == "drain-dr"
    paper.lags |= FAR
    paper.hangs = frozenset()
    paper.in_flight = frozenset()
    paper.settle()
    assert "fence-dr" not in paper.begun
    assert paper.incident.state is State.RETURNING
    paper.wait(16.0)
    assert paper.incident.state is State.NEEDS_PERSON
    asks = [record.body for record in paper.incident.records if record.kind == Kind.STEP_WAITING][-1]
    assert (asks["step"], f"PostgreSQL in {PRIMARY} is 20 min behind" in asks["reason"]) == ("fence-dr", True)
    assert f"no store was stopped, but {DR} admits no traffic any more" in asks["reason"]
    paper.lags |= {"database": 0.3}
    paper.command("choose", CONDUCTOR, step="fence-dr", choice="retry")
    assert paper.incident.state is State.CLOSED


def test_once_the_source_was_told_to_stop_its_copies_are_no_reason_to_wait() -> None:
    paper = planned(Paper())
    paper.outcomes["fence"] = "unknown"
    paper.approve(ONE, TWO)
    paper.lags |= FAR
    fences = paper.begun.count("fence")
    assert fences
    del paper.outcomes["fence"]
    paper.wait(5.0)
    assert paper.begun.count("fence") == fences + 1


def test_an_undecided_planned_move_gives_way_when_its_region_fails_however_near_its_copies_are() -> None:
    paper = planned(Paper())
    first = paper.incident.incident
    paper.alarms = (Alarm(PRIMARY, "network-lost", True, paper.now - 3, "nobody gets an answer", None),)
    paper.settle()
    assert paper.installation.incidents[first].state is State.STOOD_DOWN
    assert (paper.incident.incident != first, paper.incident.mode) == (True, "ungraceful")
    assert paper.incident.proposal is not None and paper.incident.proposal.loss_bound_seconds


def test_no_traffic_is_taken_from_the_source_while_a_copy_is_too_far_behind_and_who_is_asked_reads_that_nothing_was_stopped() -> None:
    whole = home_again(Paper())
    whole.approve(ONE, TWO)
    drained = next(at for at, one in enumerate(whole.records) if one.kind == Kind.STEP_INTENDED and one.body["step"] == "drain-dr")
    paper = whole.cut_after(whole.batches.index(drained))
    assert paper.incident.state is State.RETURNING
    paper.lags |= FAR
    paper.settle()
    paper.wait(16.0)
    assert paper.begun == []
    asks = [record.body for record in paper.incident.records if record.kind == Kind.STEP_WAITING][-1]
    assert (asks["step"], paper.incident.state) == ("drain-dr", State.NEEDS_PERSON)
    assert "no store was stopped (`holdfast go-on" in asks["reason"] and "admits no traffic" not in asks["reason"]


def test_whoever_refuses_a_planned_move_that_is_held_back_may_declare_and_the_region_is_left_without_its_copies() -> None:
    paper = planned(Paper())
    paper.lags |= FAR
    paper.approve(ONE, TWO)
    assert paper.command("declare", CONDUCTOR).startswith("refused: inc-1-1 is open"), "one thing at a time"
    assert paper.command("refuse", CONDUCTOR, reason="it fails").startswith("accepted: the incident stands down")
    assert paper.command("declare", CONDUCTOR) == "accepted: the failover is proposed next"
    assert (paper.incident.mode, paper.incident.state) == ("ungraceful", State.AWAITING_APPROVAL)
    assert paper.incident.proposal is not None and paper.incident.proposal.loss_bound_seconds
    paper.approve(ONE, TWO, accepts_loss=True)
    assert Kind.DECIDED in paper.kinds() and paper.begun


def test_a_region_that_came_back_while_people_decide_is_left_all_the_same_by_the_way_that_the_answer_names() -> None:
    paper = Paper()
    paper.lose_region()
    paper.region_answers()
    (said,) = paper.approve(ONE)
    assert "has come back" in said and "(`holdfast refuse`, then `holdfast declare`, moves it all the same)" in said
    assert paper.command("declare", CONDUCTOR).startswith("refused: inc-1-1 is open")
    assert paper.command("refuse", TWO, reason="leave it by hand").startswith("accepted")
    assert paper.command("declare", CONDUCTOR).startswith("accepted")
    paper.approve(ONE, TWO, accepts_loss=True)
    assert Kind.DECIDED in paper.kinds() and paper.begun


def test_a_failover_waits_for_no_copy() -> None:
    paper = Paper()
    paper.lags = dict.fromkeys(paper.lags, 5000.0)
    paper.lose_region()
    paper.approve(ONE, TWO)
    assert Kind.DECIDED in paper.kinds()
