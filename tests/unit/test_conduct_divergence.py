"""Nothing that only the lost side held is overwritten before it was written down, and giving it back is a person's, journalled wish."""

from holdfast.conduct.situation import GiveBack, Write
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from unit.conduct_on_paper import LOADED, PRIMARY, Paper

LEAD, CONDUCTOR = "exercise-one", "exercise-three"
APPROVERS = ("exercise-one", "exercise-two")


def plan_in_which_nothing_waits_for_the_export() -> Plan:
    """The reference plan, but for what its reprotection waits for: `holdfast check` calls it unsafe."""
    scenario = LOADED.plan.scenarios["regional-outage"]
    phases = tuple(
        phase.model_copy(update={"steps": tuple(step.model_copy(update={"after": ()}) for step in phase.steps)})
        for phase in scenario.reprotect
    )
    return LOADED.plan.model_copy(update={"scenarios": {"regional-outage": scenario.model_copy(update={"reprotect": phases})}})


def returning(*, plan: Plan | None = None, position: dict[str, str] | None = None, export: str = "succeeded") -> Paper:
    """The region was lost, its stores stopped at `position` (None: nobody knows), and the way back was asked for."""
    paper = Paper(plan=plan)
    paper.facts["fence"] = {"how": "acknowledged", "position": position or {}}
    paper.facts["divergence.export"] = {"directory": "somewhere"}
    paper.outcomes["divergence.export"] = export
    paper.lose_region()
    paper.approve(*APPROVERS)
    paper.region_answers()
    paper.wait(60)
    paper.begun.clear()
    paper.command("failback", CONDUCTOR)
    for _ in range(20):
        paper.wait(6)
    return paper


def test_what_only_the_lost_side_held_is_written_down_first() -> None:
    assert returning().begun[:4] == ["export-divergence", "reprotect-database", "reprotect-cache", "reconcile-bucket"]


def test_nothing_is_overwritten_while_the_export_fails_and_a_person_may_go_on_with_a_reason() -> None:
    paper = returning(export="failed")
    assert set(paper.begun) == {"export-divergence"}
    assert paper.incident.state == "needs-person"
    assert "reason" in paper.command("choose", LEAD, step="export-divergence", choice="skip", reason="")
    assert paper.begun[-1] == "export-divergence"
    paper.command("choose", LEAD, step="export-divergence", choice="skip", reason="the disks of the region burnt")
    assert {"reprotect-database", "reprotect-cache", "reconcile-bucket"} <= set(paper.begun)


def test_an_export_that_left_something_unexamined_waits_at_once_for_a_named_person_with_a_reason_and_can_be_given_back_from() -> None:
    paper = returning(export="refused")
    assert paper.begun == ["export-divergence"], "a person is asked, nothing is tried again"
    assert paper.incident.state == "needs-person"
    assert "reason" in paper.command("choose", LEAD, step="export-divergence", choice="skip", reason="")
    paper.command("choose", LEAD, step="export-divergence", choice="retry")
    assert set(paper.begun) == {"export-divergence"}
    said = paper.command("reapply", LEAD, incident=paper.incident.incident, only=["calls/1"])
    assert said.startswith("accepted: 1 chosen"), "what was found there is not held up"
    paper.command("choose", LEAD, step="export-divergence", choice="skip", reason="looked at by hand: template databases only")
    assert {"reprotect-database", "reprotect-cache", "reconcile-bucket"} <= set(paper.begun)


def test_even_a_plan_that_lets_it_run_is_stopped() -> None:
    paper = returning(plan=plan_in_which_nothing_waits_for_the_export(), export="failed")
    assert set(paper.begun) == {"export-divergence"}
    waiting = [record.body for record in paper.records if record.kind == Kind.STEP_WAITING]
    assert {"reprotect-database", "reprotect-cache", "reconcile-bucket"} <= {body["step"] for body in waiting}
    assert any("would be overwritten, and export-divergence has not written it down" in body["reason"] for body in waiting)


def test_a_source_that_was_stopped_orderly_holds_nothing_alone() -> None:
    plan = plan_in_which_nothing_waits_for_the_export()
    paper = returning(plan=plan, position={"postgres_lsn": "0/3000060", "redis_offset": "7"}, export="failed")
    assert {"reprotect-database", "reprotect-cache"} <= set(paper.begun)


def given(paper: Paper) -> list[GiveBack]:
    """What is being given back, once there is nothing else to do."""
    paper.settle()
    return list(paper.giving_back.values())


def test_a_wish_to_give_back_is_journalled_before_it_is_carried_out_and_again_by_the_next_controller() -> None:
    paper = returning()
    said = paper.command("reapply", LEAD, incident=paper.incident.incident, only=["calls/1", "calls/2"])
    assert said.startswith("accepted: 2 chosen to be given to eu-central-1")
    (ordered,) = [record for record in paper.records if record.kind == Kind.REAPPLY_ORDERED]
    assert (ordered.kind, ordered.body["by"]) == (Kind.REAPPLY_ORDERED, LEAD)
    assert [(move.only, move.region, move.epoch) for move in given(paper)] == [(("calls/1", "calls/2"), "eu-central-1", 2)]
    paper.restart()
    (again,) = given(paper)
    paper.write([Write(Kind.REAPPLIED, again.incident, {"reapply": again.identifier, "region": again.region, "counts": {}, "results": []})])
    paper.restart()
    assert given(paper) == []


def test_nothing_is_given_back_without_an_export_by_a_stranger_or_without_a_choice() -> None:
    paper = returning()
    incident = paper.incident.incident
    assert "no such incident" in paper.command("reapply", LEAD, incident="inc-9-9", only=["x"])
    assert "nobody in the plan" in paper.command("reapply", "mallory", incident=incident, only=["x"])
    assert "must name" in paper.command("reapply", LEAD, incident=incident, only=[])
    assert "at most 500" in paper.command("reapply", LEAD, incident=incident, only=["x"] * 501)
    assert "way-back, not 'home'" in paper.command("reapply", LEAD, incident=incident, only=["x"], run="home")
    assert "stop or leave" in paper.command("reapply", LEAD, incident=incident, only=["x"], objections="overwrite")
    assert "only eu-central-1 held" in paper.command("reapply", LEAD, incident=incident, only=["x"], run="way-back")
    fresh = Paper()
    fresh.lose_region(PRIMARY)
    assert "was not exported" in fresh.command("reapply", LEAD, incident=fresh.incident.incident, only=["x"])
    assert given(paper) == given(fresh) == []


def test_a_way_home_without_dr_writes_down_what_dr_alone_holds_before_it_is_made_a_replica() -> None:
    paper = returning()
    paper.hangs = frozenset({"fence"})
    paper.approve(*APPROVERS)
    assert paper.command("go-on", CONDUCTOR, ungracefully=True, reason="its hosts are gone").startswith("accepted")
    paper.hangs = frozenset()
    paper.outcomes["divergence.export"] = "failed"
    paper.approve(*APPROVERS)
    for _ in range(20):
        paper.wait(6)
    assert paper.begun[-1] == "export-dr-divergence"
    assert not {"reprotect-dr-database", "reprotect-dr-cache"} & set(paper.begun)
    paper.outcomes["divergence.export"] = "succeeded"
    paper.command("choose", LEAD, step="export-dr-divergence", choice="retry")
    assert {"reprotect-dr-database", "reprotect-dr-cache"} <= set(paper.begun)
    said = paper.command("reapply", LEAD, incident=paper.incident.incident, only=["calls/1"], run="way-back")
    assert said.startswith("accepted: 1 chosen to be given to eu-west-1")


def test_long_after_the_incident_it_is_given_to_whoever_serves_then() -> None:
    paper = returning()
    paper.approve(*APPROVERS)
    assert paper.incident.state == "closed"
    paper.wait(86_400)
    assert paper.command("reapply", LEAD, incident=paper.incident.incident, only=["calls/1"]).startswith("accepted")
    (move,) = given(paper)
    assert (move.region, move.epoch, move.run, move.objections) == (PRIMARY, 3, "reprotect", "stop")
