"""A primary in synchronous mode whose standby is gone: who may let it go on unprotected, what everybody sees of it, and the way back."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.agent.authority import REGION, Authority
from holdfast.conduct.situation import Write
from holdfast.console.frame import frame, plain
from holdfast.console.narration import line
from holdfast.console.state import state
from holdfast.console.view import Heard, view
from holdfast.decision.protection import ProtectionOrder
from holdfast.decision.replay import replayed
from holdfast.decision.table import State
from holdfast.fencing.order import Order, Verdict
from holdfast.journal.kinds import Kind
from holdfast.plan.model import Plan
from unit.agent_on_paper import agent
from unit.conduct_on_paper import DR, LOADED, PRIMARY, Paper

APPROVER, NO_APPROVER, STAND_IN = "aoife-brennan", "nadia-haddad", "exercise-one"
WHY = "eu-central-1 has no power until noon"


def synchronous(*, exercise: str | None = None) -> Paper:
    """An installation in synchronous mode, all protected."""
    paper = Paper(exercise=exercise)
    paper.replication = "synchronous"
    paper.protected = {"database": True, "cache": True}
    return paper


def drop(paper: Paper, by: str = APPROVER, component: str = "database", reason: str = WHY) -> str:
    return paper.command("unprotect", by, component=component, reason=reason)


def told(paper: Paper) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(state(paper.situation(), 1.0, None, {"witness": paper.now})))
    return found


def first_line(paper: Paper) -> str:
    now = told(paper)
    return view(Heard(now), now["now_seconds"]).headline.text


def kinds(paper: Paper) -> list[str]:
    return [record.kind for record in paper.records]


def test_the_word_is_durable_before_the_order_and_both_name_the_person_and_the_reason() -> None:
    paper = synchronous()
    paper.protector_says = None
    said = drop(paper)
    assert said.startswith("accepted: ")
    assert "may be lost with eu-west-1" in said
    assert "`holdfast protect database --as NAME`" in said
    assert kinds(paper)[-2:] == [Kind.COMMAND, Kind.PROTECTION_ORDERED]
    body = paper.records[-1].body
    assert (body["by"], body["role"], body["because"], body["mode"]) == (APPROVER, "platform-lead", WHY, "asynchronous")
    (move,) = paper.protecting.values()
    assert (move.region, move.kind, move.mode, move.order) == (PRIMARY, "postgres", "asynchronous", Order(0, 1, 1, 1))


def test_only_who_may_accept_the_loss_of_a_failover_drops_protection() -> None:
    paper = synchronous()
    for by, why in ((NO_APPROVER, "fills none of the roles"), ("nobody-here", "nobody in the plan"), (STAND_IN, "only in exercises")):
        said = drop(paper, by)
        assert said.startswith("refused: "), said
        assert why in said
    assert "say why" in drop(paper, reason=" ")
    assert Kind.PROTECTION_ORDERED not in kinds(paper)
    assert paper.protected == {"database": True, "cache": True}
    assert drop(synchronous(exercise="exercise-7"), STAND_IN).startswith("accepted")


def test_what_has_no_protection_loses_none() -> None:
    paper = synchronous()
    assert "nothing whose writes can wait" in drop(paper, component="storage")
    assert "nothing whose writes can wait" in drop(paper, component="mars")
    assert "there is no protection to drop" in drop(Paper(exercise=None))
    drop(paper)
    assert "is unprotected already" in drop(paper)
    assert "is protected already" in paper.command("protect", APPROVER, component="cache")


def test_everybody_sees_it_in_the_first_line_until_it_is_protected_again() -> None:
    paper = synchronous()
    calm = first_line(paper)
    assert "UNPROTECTED" not in calm
    drop(paper)
    paper.now += 720.0
    said = first_line(paper)
    assert said.startswith("UNPROTECTED: ")
    assert f"{APPROVER} dropped its protection 12 min ago: {WHY}" in said
    paper.command("protect", NO_APPROVER, component="database")
    assert first_line(paper) == calm
    lines = [told.text for record in paper.records if (told := line(record)) is not None]
    assert any(text.startswith(f"PROTECTION DROPPED by {APPROVER} (platform-lead)") for text in lines)
    assert "database in eu-west-1 is UNPROTECTED" in lines
    assert "database in eu-west-1 is protected again" in lines


def test_it_is_protected_again_only_when_the_copy_is_seen_to_be_near() -> None:
    paper = synchronous()
    drop(paper)
    paper.lags["database"] = None
    assert "nobody has seen how far the copy" in paper.command("protect", APPROVER, component="database")
    paper.lags["database"] = 90.0
    assert "90 s behind" in paper.command("protect", APPROVER, component="database")
    paper.lags["database"] = 6.0
    assert "6 s behind" in paper.command("protect", APPROVER, component="database"), "seen near a moment ago, it may have stopped since"
    assert paper.protected["database"] is False
    paper.lags["database"] = 0.4
    assert paper.command("protect", APPROVER, component="database").startswith("accepted")
    assert paper.protected["database"] is True


def test_a_controller_that_takes_over_gives_the_very_same_order_and_none_that_came_to_an_end() -> None:
    paper = synchronous()
    paper.protector_says = None
    drop(paper)
    (before,) = paper.protecting.values()
    assert "is still under way" in drop(paper)
    assert replayed(PRIMARY, paper.records).protection == paper.installation.protection
    paper.protecting.clear()
    paper.protector_says = "succeeded"
    paper.settle()
    (after,) = paper.protecting.values()
    assert after == before
    paper.protecting.clear()
    paper.settle()
    assert paper.protecting == {}


@pytest.mark.parametrize("outcome", ["unknown", "refused", "failed"])
def test_what_came_to_nothing_known_is_said_and_may_be_asked_again(outcome: str) -> None:
    paper = synchronous()
    paper.protector_says = outcome
    drop(paper)
    (said,) = view(Heard(told(paper)), paper.now).protection
    assert f"came to nothing known ({outcome}: said on paper)" in said.text
    assert drop(paper).startswith("accepted")
    assert paper.records[-2].body["order"] == [0, 1, 1, 2], "each order is above the one before"


def test_silence_of_the_agent_is_unknown_and_never_protected() -> None:
    paper = synchronous()
    paper.protected = {}
    shown = view(Heard(told(paper)), paper.now)
    assert {said.state for said in shown.protection} == {"unknown"}
    assert len(shown.protection) == 2
    assert "UNPROTECTED" not in shown.headline.text


def test_while_the_right_to_write_moves_nothing_of_it_is_ordered_and_the_new_writer_knows_no_old_word() -> None:
    paper = synchronous(exercise="exercise-7")
    drop(paper, STAND_IN)
    paper.hangs = frozenset({"fence"})
    paper.lose_region()
    assert "UNPROTECTED" in first_line(paper)
    assert not first_line(paper).startswith("UNPROTECTED"), "what people must do now comes first"
    paper.approve("exercise-one", "exercise-two")
    assert "is moving the right to write" in drop(paper, STAND_IN, "cache")
    assert {said["ordered"] for said in told(paper)["protection"]["components"]} == {None}, "the region that is promoted was never told"


def test_before_a_decision_it_may_be_dropped_since_that_may_be_all_that_is_wrong() -> None:
    paper = synchronous(exercise="exercise-7")
    paper.lose_region()
    assert drop(paper, STAND_IN).startswith("accepted")
    assert paper.incident.records[-1].kind == Kind.PROTECTION_ORDERED


def turned_back(paper: Paper) -> Paper:
    """A failover was decided and begun, and turned back in the middle of its fence."""
    paper.hangs = frozenset({"fence"})
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    paper.hangs = frozenset()
    assert paper.command("abort", "exercise-three", incident=paper.incident.incident, reason="it is back").startswith("accepted")
    paper.region_answers()
    assert (paper.installation.epoch, paper.installation.used) == (1, (0, 2))
    return paper


def agent_after(paper: Paper, folder: Path) -> Authority:
    """The agent of the primary region, which was given everything that the journal ordered of its region."""
    authority = agent(folder, PRIMARY, 1, PRIMARY)
    for record in paper.records:
        if record.kind == Kind.STEP_INTENDED and record.body["block"] in ("fence", "withdraw"):
            verdict, _ = authority.receive(Order.from_list(record.body["order"]), record.body["block"], REGION)
            assert verdict is Verdict.ACCEPTED
    return authority


def test_after_a_failover_that_was_turned_back_the_agent_obeys_the_next_word(tmp_path: Path) -> None:
    paper = turned_back(synchronous(exercise="exercise-7"))
    obeying = agent_after(paper, tmp_path)
    assert obeying.highest is not None and (obeying.highest.epoch, paper.installation.epoch) == (2, 1)
    paper.protector_says = None
    assert drop(paper, STAND_IN).startswith("accepted")
    (move,) = paper.protecting.values()
    assert obeying.receive(move.order, "postgres.synchronous", "postgres") == (Verdict.ACCEPTED, None)


def test_what_was_dropped_before_a_failover_that_was_turned_back_is_known_again() -> None:
    paper = synchronous(exercise="exercise-7")
    drop(paper, STAND_IN)
    turned_back(paper)
    (database,) = (one for one in told(paper)["protection"]["components"] if one["component"] == "database")
    assert database["ordered"]["by"] == STAND_IN
    assert f"{STAND_IN} dropped its protection" in first_line(paper)


def test_a_region_that_was_promoted_anew_knows_no_word_from_its_former_time() -> None:
    order = ProtectionOrder({"ask": "c1", "region": PRIMARY, "order": [0, 1, 1, 7]}, 0.0)
    assert order.stands(PRIMARY, (0, 1))
    assert not order.stands(DR, (0, 2))
    assert not order.stands(PRIMARY, (0, 3)), "it was away and has come home"


def test_an_order_that_was_not_given_before_the_right_to_write_moved_ends_refused() -> None:
    paper = synchronous(exercise="exercise-7")
    paper.protector_says = None
    drop(paper, STAND_IN)
    (move,) = paper.protecting.values()
    paper.protecting.clear()  # accepted and durable; the controller died before it gave it
    opened = {"run": "failover", "era": 0, "epoch": 2, "source": PRIMARY, "target": DR}
    paper.write([Write(Kind.EPOCH_OPENED, "", opened)])
    paper.settle()
    last = paper.records[-1]
    assert (last.kind, last.body["ask"], last.body["outcome"]) == (Kind.PROTECTION_CHANGED, move.ask, "refused")
    assert f"the right to write moved away from {PRIMARY}" in last.body["detail"]
    assert paper.protecting == {}, "it is never given to another region"
    assert replayed(PRIMARY, paper.records).protection["database"].outcome == "refused"


def test_while_the_copies_are_made_anew_nothing_is_ordered_and_the_way_out_is_said() -> None:
    paper = synchronous(exercise="exercise-7")
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED
    paper.hangs = frozenset({"postgres.reprotect"})
    paper.command("failback", "exercise-three")
    assert paper.incident.state is State.REPROTECTING
    said = drop(paper, STAND_IN, "cache")
    assert said.startswith("refused: ")
    assert "is making the copies anew" in said
    assert f"`holdfast abort {paper.incident.incident}`" in said


def with_second_database() -> Plan:
    plan = LOADED.plan
    return plan.model_copy(update={"components": {**plan.components, "archive": plan.components["database"]}})


def test_where_the_plan_has_two_of_a_kind_nobody_can_say_which_the_agent_means() -> None:
    paper = Paper(exercise=None, plan=with_second_database())
    paper.replication = "synchronous"
    for verb in ("unprotect", "protect"):
        said = paper.command(verb, APPROVER, component="archive", reason=WHY)
        assert said.startswith("refused: the plan has database, archive of kind postgres")
        assert "agents of its own" in said
    assert drop(paper, component="cache").startswith("accepted")


def test_in_an_exercise_only_who_and_what_it_is_about_is_reached() -> None:
    assert "takes no part in the exercise" in drop(synchronous(exercise="database-failover"), "exercise-two", "database")
    assert drop(synchronous(exercise="database-failover"), STAND_IN, "database").startswith("accepted")
    paper = synchronous(exercise="storage-failover")
    assert "is about storage alone" in drop(paper, STAND_IN, "database")
    assert Kind.PROTECTION_ORDERED not in kinds(paper)
    assert "fills none of the roles" in drop(paper, APPROVER), "in an exercise the stand-ins decide"


def test_an_exercise_reaches_no_component_that_it_is_not_about_by_either_word() -> None:
    paper = synchronous(exercise="storage-failover")
    paper.protected["database"] = False
    said = paper.command("protect", STAND_IN, component="database")
    assert "is about storage alone" in said
    assert Kind.PROTECTION_ORDERED not in kinds(paper)


def with_two_drills(first: list[str], second: list[str]) -> Plan:
    """The plan has two drills of the scenario, about these components."""
    drill = LOADED.plan.exercises["regional-outage"]
    drills = {name: drill.model_copy(update={"components": about}) for name, about in (("early", first), ("late", second))}
    return LOADED.plan.model_copy(update={"exercises": drills})


@pytest.mark.parametrize("verb", ["unprotect", "protect"])
def test_an_exercise_of_the_day_reaches_only_what_each_drill_of_its_scenario_is_about(verb: str) -> None:
    def said(component: str, first: list[str], second: list[str]) -> str:
        paper = Paper(exercise="exercise-7", plan=with_two_drills(first, second))
        paper.replication = "synchronous"
        paper.protected = {"database": verb == "unprotect", "cache": verb == "unprotect"}
        return paper.command(verb, STAND_IN, component=component, reason=WHY)

    assert "is about cache alone" in said("database", ["database", "cache"], ["cache", "storage"])
    assert said("cache", ["database", "cache"], ["cache", "storage"]).startswith("accepted")
    assert said("cache", ["database", "cache"], []).startswith("accepted")
    assert "is about cache alone" in said("database", [], ["cache"]), "a drill about everything widens no other"
    apart = said("cache", ["database"], ["cache"])
    assert "have no component in common" in apart and "early, late" in apart
    assert said("database", [], []).startswith("accepted")


def test_what_the_narrowest_live_view_shows_of_it() -> None:
    paper = synchronous()
    drop(paper, component="cache")
    now = told(paper)
    now["sides"] = [{**side, "things": []} for side in now["sides"]]
    lines = [plain(one) for one in frame(view(Heard(now), paper.now), 80, 24)]
    assert lines[0].startswith("⏸ UNPROTECTED: ")
    assert any(one.startswith("⏸ UNPROTECTED") for one in lines[1:])


def test_a_controller_that_waits_for_its_memory_says_what_is_unprotected_all_the_same() -> None:
    paper = synchronous()
    drop(paper)
    now = {**told(paper), "hears": [DR]}
    said = view(Heard(now), paper.now).headline.text
    assert "has no memory" in said
    assert "UNPROTECTED: " in said


def test_who_replicates_asynchronously_reads_nothing_of_protection() -> None:
    paper = Paper(exercise=None)
    paper.protected = {"database": False}
    shown = view(Heard(told(paper)), paper.now)
    assert shown.protection == ()
    assert "UNPROTECTED" not in shown.headline.text
