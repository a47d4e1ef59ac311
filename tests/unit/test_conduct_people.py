"""Who decides, and on what: requesters, the people of the occasion, and approvals that a change voids."""

from holdfast.decision.table import State
from unit.conduct_on_paper import Paper

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
