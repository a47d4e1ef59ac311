"""What a run would do, told before it is begun; and the refusal to begin when the world has moved since."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli import foresee as command
from holdfast.cli.main import run
from holdfast.conduct.foresight import Foreseen, World, as_json, foresee, moved, world_of
from holdfast.decision.table import State
from holdfast.plan.people import Occasion
from unit.conduct_on_paper import DR, LOADED, PRIMARY, Paper

ONE, TWO, LEAD = "exercise-one", "exercise-two", "ines-carvalho"
WORLD = World(LOADED.digest, PRIMARY, 0, 1, {f"{PRIMARY}/voice": "voice:2", f"{DR}/voice": "voice:1"}, {f"{DR}/database bytes": 30_000_000})


def foreseen(paper: Paper | None = None, world: World = WORLD, mode: Any = "ungraceful") -> Foreseen:
    records = paper.records if paper else ()
    return foresee(LOADED.plan, "regional-outage", mode, world, records, 1000.0, occasion=Occasion.EXERCISE, loss=3.5)


def one_run() -> Paper:
    paper = Paper()
    paper.lose_region()
    paper.now += 4.0
    paper.approve(ONE, TWO)
    paper.region_answers()
    assert paper.incident.state is State.RECOVERED
    return paper


def test_without_earlier_runs_times_are_the_plans_bounds_and_say_so() -> None:
    made = foreseen()
    steps = {step.step: step for step in made.steps}
    assert all(step.earlier_runs == 0 for step in made.steps)
    assert steps["approve"].expected_seconds == LOADED.plan.approval.activation.answer_within
    assert steps["promote-database"].expected_seconds == 120.0
    assert steps["scale-up"].expected_seconds == 120.0
    assert made.window_seconds == 1800.0
    assert made.critical_path[0] == "assess"
    assert made.critical_path[-1] == "confirm"
    assert made.expected_seconds == pytest.approx(sum(steps[name].expected_seconds for name in made.critical_path))


def test_times_come_from_earlier_runs_and_people_are_measured_from_when_they_were_asked() -> None:
    steps = {step.step: step for step in foreseen(one_run()).steps}
    assert steps["promote-database"].earlier_runs == 1
    assert steps["promote-database"].expected_seconds == pytest.approx(0.1, abs=0.01)
    assert steps["approve"].expected_seconds >= 4.0


def test_what_another_scenario_took_or_stand_ins_answered_says_nothing_about_this_night() -> None:
    records = one_run().records
    plan = LOADED.plan
    real = foresee(plan, "regional-outage", "ungraceful", WORLD, records, 1000.0, occasion=Occasion.INCIDENT, loss=None)
    steps = {step.step: step for step in real.steps}
    assert steps["promote-database"].earlier_runs == 1
    assert (steps["approve"].earlier_runs, steps["approve"].expected_seconds) == (0, plan.approval.activation.answer_within)
    other = foresee(plan, "database-failover", "ungraceful", WORLD, records, 1000.0, occasion=Occasion.EXERCISE, loss=None)
    assert {step.earlier_runs for step in other.steps} == {0}


def test_away_from_home_a_planned_move_is_the_way_home_and_is_shown_as_that() -> None:
    made = foreseen(world=replace(WORLD, serving=DR), mode="graceful")
    scenario = LOADED.plan.scenarios["regional-outage"]
    planned = [step.id for phase in (*scenario.reprotect, *scenario.way_back) for step in phase.steps]
    assert [step.step for step in made.steps] == planned
    assert (made.source, made.target, made.runs) == (DR, PRIMARY, ("reprotect", "way-back"))


def test_where_no_writer_moves_no_store_gives_anything_up() -> None:
    made = foresee(LOADED.plan, "application-failover", "ungraceful", WORLD, (), 1000.0, occasion=Occasion.EXERCISE, loss=3.5)
    assert (made.moves_writers, made.may_lose_seconds) == (False, 0.0)


def test_it_says_who_must_approve_and_what_can_not_be_undone() -> None:
    made = foreseen()
    assert made.approval["count"] == 2
    assert {ONE, TWO} <= set(made.approval["people"])
    final = {step.step for step in made.steps if step.cannot_be_undone}
    assert {"fence", "promote-database", "promote-cache", "alert"} <= final
    assert made.may_lose_seconds == 3.5
    assert foreseen(mode="graceful").may_lose_seconds == 0.0


def test_a_file_holds_the_world_and_one_that_was_changed_is_found_out() -> None:
    value = json.loads(json.dumps(as_json(foreseen())))
    assert world_of(value) == (WORLD, "regional-outage", "ungraceful")
    changes: list[dict[str, Any]] = [{"world": {**value["world"], "epoch": 7}}, {"may_lose_seconds": 0.0}, {"steps": []}, {"approval": {}}]
    for change in changes:
        with pytest.raises(ValueError, match="changed after it was made"):
            world_of({**value, **change})
    with pytest.raises(ValueError, match="schema"):
        world_of({"schema": "something/else"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epoch": 2}, "the epoch is 0.2, it was 0.1"),
        ({"serving": DR}, f"the region that serves is {DR}"),
        ({"plan_digest": "0" * 64}, "the plan's digest"),
        ({"versions": {**WORLD.versions, f"{DR}/voice": "voice:3"}}, f"the version of {DR}/voice is voice:3, it was voice:1"),
        ({"versions": {**WORLD.versions, f"{DR}/voice": None}}, "can't be seen now"),
        ({"sizes": {f"{DR}/database bytes": 300_000_000}}, "the expected times no longer hold"),
    ],
)
def test_what_moved_is_said(change: dict[str, Any], says: str) -> None:
    found = moved(WORLD, replace(WORLD, **change), [DR])
    assert len(found) == 1
    assert says in found[0]


def test_growth_that_changes_nothing_and_a_source_that_is_lost_anyway_are_let_pass() -> None:
    grown = replace(WORLD, sizes={f"{DR}/database bytes": 50_000_000}, versions={**WORLD.versions, f"{PRIMARY}/voice": None})
    assert moved(WORLD, grown, [DR]) == ()
    assert moved(WORLD, grown, [DR, PRIMARY])


def test_the_controller_begins_what_was_foreseen_and_refuses_it_under_another_epoch() -> None:
    bound = {"plan_digest": LOADED.digest, "scenario": "regional-outage", "serving": PRIMARY, "era": 0, "epoch": 1, "digest": "d1"}
    paper = Paper(exercise="exercise-7")
    said = paper.command("switchover", ONE, foreseen={**bound, "epoch": 4})
    assert said.startswith("refused: the world has moved")
    assert "epoch is 1, it was 4" in said
    assert not paper.installation.incidents
    assert paper.command("switchover", ONE, foreseen=bound).startswith("accepted")
    assert paper.incident.records[0].body["foreseen"] == "d1"


class _Controller:
    """A controller that answers with a state and keeps what it is told."""

    def __init__(self) -> None:
        self.epoch = 1
        self.given: list[tuple[str, dict[str, Any]]] = []

    def state(self) -> dict[str, Any]:
        return {
            "plan": {"digest": LOADED.digest},
            "regions": [PRIMARY, DR],
            "serving": PRIMARY,
            "era": 0,
            "epoch": self.epoch,
            "exercise": "exercise-7",
            "now_seconds": 1000.0,
            "loss": {"bound_seconds": 2.0},
        }

    def records(self, after: int = 0) -> list[dict[str, Any]]:
        return []

    def command(self, verb: str, by: str, arguments: dict[str, Any], identifier: str = "") -> str:
        self.given.append((verb, arguments))
        return "accepted: the failover is proposed next"


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> _Controller:
    known = _Controller()
    monkeypatch.setattr(command, "controller_of", lambda _: known)
    world = lambda now, _: replace(WORLD, epoch=now["epoch"])  # noqa: E731  # what is seen does not matter here
    monkeypatch.setattr(command, "_world", world)
    return known


def test_the_command_shows_it_keeps_it_and_run_carries_it_out_or_says_what_moved(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, document = tmp_path / "foreseen.json", str(LOADED.path)
    assert run(["plan", "regional-outage", "--file", document, "--out", str(file)]) == 0
    shown = capsys.readouterr().out
    for text in ("critical path", "must approve", "can't be undone", "at most the last 2.0 s", f"holdfast run --plan {file} --as NAME"):
        assert text in shown
    assert run(["run", "--plan", str(file), "--as", ONE]) == 0
    verb, arguments = controller.given[-1]
    assert verb == "declare"
    assert arguments["foreseen"]["epoch"] == 1
    assert run(["switchover", "--plan", str(file), "--as", ONE]) == 2, "it is a plan for the other verb"
    controller.epoch = 2
    capsys.readouterr()
    assert run(["run", "--plan", str(file), "--as", ONE]) == 1
    assert "the epoch is 0.2, it was 0.1" in capsys.readouterr().err
    assert len(controller.given) == 1


def test_json_output_stays_json(controller: _Controller, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "regional-outage", "--file", str(LOADED.path), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "holdfast/foreseen/v1"


def test_a_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "foreseen.json"
    broken.write_text("{}")
    assert run(["run", "--plan", str(broken), "--as", ONE]) == 2
    assert "was not made by `holdfast plan`" in capsys.readouterr().err
