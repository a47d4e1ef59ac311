"""What a run would do, told before it is begun; and the refusal to begin when the world has moved since."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.app_foresight import Seen
from holdfast.cli import foresee as command
from holdfast.cli.foresee import form_and_file
from holdfast.cli.main import run
from holdfast.cli.output import CommandError
from holdfast.conduct.foresight import Foreseen, as_json, foresee, world_of
from holdfast.conduct.situation import LossBound, Write
from holdfast.conduct.world import Copy, World, moved, swing_seconds, top_of
from holdfast.console.state import state
from holdfast.decision.table import State
from holdfast.health.loss import ComponentLoss
from holdfast.health.observation import Subject
from holdfast.health.signals import Health
from holdfast.health.standing import Standing
from holdfast.journal.kinds import Kind
from holdfast.plan.people import Occasion
from unit.conduct_on_paper import DR, LOADED, PRIMARY, Paper

ONE, TWO, LEAD = "exercise-one", "exercise-two", "ines-carvalho"
STORES = {"database": "PostgreSQL", "cache": "Redis", "storage": "Object storage"}
WORLD = World(
    LOADED.digest,
    PRIMARY,
    0,
    1,
    {f"{PRIMARY}/voice": "voice:2", f"{DR}/voice": "voice:1"},
    {f"{DR}/database bytes": 30_000_000},
    instances={f"{DR}/{function}": 1 for function in LOADED.plan.functions},
    copies={name: Copy(title, DR, True, 0.5, 2.4, 3.5) for name, title in STORES.items()},
    names=dict.fromkeys(LOADED.plan.functions, PRIMARY),
    health={f"{region}/{title}": "up" for region in (PRIMARY, DR) for title in STORES.values()},
)


def foreseen(paper: Paper | None = None, world: World = WORLD, mode: Any = "ungraceful") -> Foreseen:
    records = paper.records if paper else ()
    return foresee(LOADED.plan, "regional-outage", mode, world, records, 1000.0, occasion=Occasion.EXERCISE)


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
    real = foresee(plan, "regional-outage", "ungraceful", WORLD, records, 1000.0, occasion=Occasion.INCIDENT)
    steps = {step.step: step for step in real.steps}
    assert steps["promote-database"].earlier_runs == 1
    assert (steps["approve"].earlier_runs, steps["approve"].expected_seconds) == (0, plan.approval.activation.answer_within)
    other = foresee(plan, "database-failover", "ungraceful", WORLD, records, 1000.0, occasion=Occasion.EXERCISE)
    assert {step.earlier_runs for step in other.steps} == {0}


def test_away_from_home_a_planned_move_is_the_way_home_and_is_shown_as_that() -> None:
    made = foreseen(world=replace(WORLD, serving=DR), mode="graceful")
    scenario = LOADED.plan.scenarios["regional-outage"]
    planned = [step.id for phase in (*scenario.reprotect, *scenario.way_back) for step in phase.steps]
    assert [step.step for step in made.steps] == planned
    assert (made.source, made.target, made.runs) == (DR, PRIMARY, ("reprotect", "way-back"))


def test_where_no_writer_moves_no_store_gives_anything_up() -> None:
    made = foresee(LOADED.plan, "application-failover", "ungraceful", WORLD, (), 1000.0, occasion=Occasion.EXERCISE)
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


def test_a_loss_that_grew_a_copy_that_stopped_following_and_a_component_that_is_worse_have_moved() -> None:
    def now(**changed: Any) -> World:
        return replace(WORLD, copies={**WORLD.copies, "database": replace(WORLD.copies["database"], **changed)})

    assert moved(WORLD, now(bound_seconds=3.5), [DR]) == (), "the file's own figure is the most that people were told"
    far = moved(WORLD, now(lag_seconds=1200.0, bound_seconds=1203.0), [DR])
    assert far == (f"of PostgreSQL in {DR} up to 20 min 3 s may be lost now, and it is 20 min behind; it was at most 3.5 s",)
    assert moved(WORLD, now(bound_seconds=None), [DR])[0].startswith(f"of PostgreSQL in {DR} what may be lost can't be bounded now")
    assert moved(WORLD, now(follows=False), [DR]) == (f"PostgreSQL in {DR} follows no more; it did",)
    assert moved(WORLD, now(follows=None), [DR]) == (f"PostgreSQL in {DR} can no longer be seen to follow; it did",)
    worse = replace(WORLD, health={**WORLD.health, f"{DR}/Redis": "degraded", f"{PRIMARY}/Redis": "down"})
    assert moved(WORLD, worse, [DR]) == (f"{DR}/Redis is degraded, it was up",)
    assert len(moved(WORLD, worse, [DR, PRIMARY])) == 2
    assert moved(worse, WORLD, [DR, PRIMARY]) == (), "better is let pass"
    unknown = replace(WORLD, health={**WORLD.health, f"{DR}/Redis": "unknown"})
    assert moved(WORLD, unknown, [DR]) == (f"how {DR}/Redis is can't be told now; it was up",)


def test_who_was_told_that_nothing_bounds_the_loss_was_told_everything() -> None:
    unbounded = replace(WORLD, copies={"database": replace(WORLD.copies["database"], may_lose_seconds=None)})
    assert moved(unbounded, WORLD, [DR]) == ()


def test_instances_and_names_that_the_run_is_about_have_moved() -> None:
    scaled = replace(WORLD, instances={**WORLD.instances, f"{DR}/voice": 3})
    assert moved(WORLD, scaled, [DR]) == (f"{DR}/voice has 3 instances, it had 1",)
    led = replace(WORLD, names={**WORLD.names, "voice": DR})
    assert moved(WORLD, led, [DR]) == (f"the names of voice lead to {DR}, they led to {PRIMARY}",)
    kept = foreseen(world=replace(WORLD, instances={**WORLD.instances, f"{PRIMARY}/voice": 4})).world
    assert f"{PRIMARY}/voice" not in kept.instances, "no step of the failover touches them, so an autoscaler may"
    alone = foresee(LOADED.plan, "application-failover", "ungraceful", WORLD, (), 1000.0, occasion=Occasion.EXERCISE).world
    assert alone.copies == {}, "stores that stay where they are may lag"


def test_a_copy_that_nobody_named_can_not_be_bounded() -> None:
    assert foreseen(world=replace(WORLD, copies={})).may_lose_seconds is None


def test_the_controller_begins_what_was_foreseen_and_refuses_it_under_another_epoch() -> None:
    bound = {"plan_digest": LOADED.digest, "scenario": "regional-outage", "serving": PRIMARY, "era": 0, "epoch": 1, "digest": "d1"}
    paper = Paper(exercise="exercise-7")
    said = paper.command("switchover", ONE, foreseen={**bound, "epoch": 4})
    assert said.startswith("refused: the world has moved")
    assert "epoch is 1, it was 4" in said
    assert not paper.installation.incidents
    assert paper.command("switchover", ONE, foreseen=bound).startswith("accepted")
    opened = paper.incident.records[0].body
    assert (opened["foreseen"], opened["scenario"]) == ("d1", "regional-outage")


@pytest.mark.parametrize(("verb", "mode"), [("switchover", "graceful"), ("declare", "ungraceful")])
def test_what_was_foreseen_of_another_scenario_than_the_controllers_own_is_begun_as_that(verb: str, mode: str) -> None:
    bound = {"plan_digest": LOADED.digest, "scenario": "database-failover", "serving": PRIMARY, "era": 0, "epoch": 1, "digest": "d1"}
    paper = Paper(exercise="exercise-7")
    assert paper.command(verb, LEAD, foreseen=bound).startswith("accepted")
    opened = paper.incident.records[0].body
    assert (opened["scenario"], opened["mode"]) == ("database-failover", mode)
    assert "Loss of the database" in opened["reason"]
    assert "no scenario 'flood'" in Paper().command(verb, LEAD, foreseen={**bound, "scenario": "flood"})


def test_away_from_home_a_planned_move_of_another_scenario_takes_its_own_way_home() -> None:
    paper = Paper()
    paper.write([Write(Kind.CONTROLLER_STARTED, "", {"term": 2, "era": 0, "epoch": 2, "serving": DR, "resumed": False, "profile": "fast"})])
    bound = {"plan_digest": LOADED.digest, "scenario": "database-failover", "serving": DR, "era": 0, "epoch": 2, "digest": "d1"}
    assert paper.command("switchover", LEAD, foreseen=bound).startswith("accepted")
    assert paper.incident.scenario == "database-failover"
    assert "reconcile-bucket" not in paper.begun


def test_what_people_carry_out_has_no_planned_move() -> None:
    bound = {"plan_digest": LOADED.digest, "scenario": "security-breach", "serving": PRIMARY, "era": 0, "epoch": 1, "digest": "d1"}
    said = Paper().command("switchover", LEAD, foreseen=bound)
    assert said.startswith("refused: security-breach is carried out by people")
    made = foresee(LOADED.plan, "security-breach", "ungraceful", WORLD, (), 1000.0, occasion=Occasion.INCIDENT)
    assert made.approval["count"] == 0


class _Controller:
    """A controller on paper, behind the client's own methods."""

    def __init__(self) -> None:
        self.paper = Paper()
        losses = [ComponentLoss(name, 2.0, self.paper.now, None, None, "") for name in STORES]
        self.paper.loss = LossBound(2.0, None, tuple(losses))
        self.lag_seconds = 0.5

    def _copies(self) -> list[Standing]:
        kinds = {"database": Subject.POSTGRES, "cache": Subject.REDIS, "storage": Subject.BUCKET}
        said = ("replica", self.lag_seconds, None, 0.2, 0.0, "answers")
        return [Standing(DR, subject, name, Health.UP, *said) for name, subject in kinds.items()]

    def state(self) -> dict[str, Any]:
        served = dict.fromkeys(LOADED.plan.functions, PRIMARY)
        found: dict[str, Any] = json.loads(json.dumps(state(self.paper.situation(), 0.0, None, {}, self._copies(), served)))
        return found

    def records(self, after: int = 0) -> list[dict[str, Any]]:
        return [asdict(record) for record in self.paper.records if record.sequence > after]

    def command(self, verb: str, by: str, arguments: dict[str, Any], identifier: str = "") -> str:
        return self.paper.command(verb, by, **arguments)


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> _Controller:
    known = _Controller()
    monkeypatch.setattr(command, "controller_of", lambda _: known)
    monkeypatch.setattr(command, "_looked", lambda _: Seen(WORLD.versions, WORLD.instances, WORLD.sizes))
    return known


def test_the_command_shows_it_keeps_it_and_run_carries_it_out(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    file, document = tmp_path / "foreseen.json", str(LOADED.path)
    assert run(["plan", "regional-outage", "--file", document, "-o", str(file)]) == 0
    shown = capsys.readouterr().out
    most = top_of(2.0, swing_seconds(LOADED.plan.profiles["fast"]))
    for text in (
        "critical path",
        "must approve",
        "can't be undone",
        f"at most the last {most:.1f} s",
        f"PostgreSQL in {DR}: replica → writer",
        "5 names: eu-west-1 → eu-central-1",
        f"holdfast run --plan {file} --as NAME",
    ):
        assert text in shown
    assert run(["switchover", "--plan", str(file), "--as", ONE]) == 2, "it is a plan for the other verb"
    assert run(["run", "--plan", str(file), "--as", ONE]) == 0
    opened = controller.paper.incident.records[0].body
    assert (opened["mode"], opened["requester"], opened["foreseen"]) == ("ungraceful", ONE, json.loads(file.read_text())["digest"])


def test_a_file_is_refused_with_everything_that_moved_and_begins_nothing(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "foreseen.json"
    assert run(["plan", "regional-outage", "--file", str(LOADED.path), "-o", str(file)]) == 0
    paper = controller.paper
    controller.lag_seconds = 1200.0
    far = ComponentLoss("database", 1203.0, paper.now, None, None, "")
    paper.loss = LossBound(1203.0, None, (far, *paper.loss.components[1:]))
    started = {"term": 2, "era": 0, "epoch": 2, "serving": PRIMARY, "resumed": True, "profile": "fast"}
    paper.write([Write(Kind.CONTROLLER_STARTED, "", started)])
    assert run(["run", "--plan", str(file), "--as", ONE]) == 1
    said = capsys.readouterr().err
    assert "the epoch is 0.2, it was 0.1" in said
    assert f"of PostgreSQL in {DR} up to 20 min 3 s may be lost now, and it is 20 min behind" in said
    assert f"holdfast plan regional-outage --mode ungraceful -o {file}" in said
    assert not paper.installation.incidents


def test_a_planned_move_that_would_be_refused_is_shown_as_that(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "foreseen.json"
    controller.paper.lags["database"] = 1200.0
    assert run(["plan", "regional-outage", "--mode", "graceful", "--file", str(LOADED.path), "-o", str(file)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"⏸ not now: PostgreSQL in {DR} is 20 min behind")
    assert shown.rstrip().endswith("next: holdfast top")
    assert run(["run", "--plan", str(file), "--as", ONE]) == 1
    assert "A planned move does not begin like that" in capsys.readouterr().err


def test_a_file_of_another_scenario_is_carried_out_too(controller: _Controller, tmp_path: Path) -> None:
    file = tmp_path / "foreseen.json"
    assert run(["plan", "application-failover", "--mode", "graceful", "--file", str(LOADED.path), "-o", str(file)]) == 0
    assert run(["run", "--plan", str(file), "--as", ONE]) == 0
    assert controller.paper.incident.scenario == "application-failover"


def test_a_planned_move_of_what_people_carry_out_is_refused_before_a_file_is_made(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "foreseen.json"
    assert run(["plan", "security-breach", "--mode", "graceful", "--file", str(LOADED.path), "-o", str(file)]) == 2
    assert "there is no planned move" in capsys.readouterr().err
    assert not file.exists()


def test_json_output_stays_json_and_any_other_word_is_a_file(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["plan", "regional-outage", "--file", str(LOADED.path)]
    assert run([*asked, "-o", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == "holdfast/foreseen/v1"
    steps = {step["step"]: step for step in printed["steps"]}
    assert steps["scale-up"]["parameters"]["replicas"]["voice"] == 4
    assert {"of": "voice", "region": DR, "what": "instances", "before": "1", "after": "4"} in steps["scale-up"]["changes"]
    assert not list(tmp_path.iterdir())
    assert run([*asked, "-o", "./json"]) == 0
    assert run([*asked, "--out", "kept", "-o", "json"]) == 0
    assert json.loads((tmp_path / "json").read_text())["digest"]
    assert json.loads((tmp_path / "kept").read_text())["digest"]


def test_no_other_file_is_lost_to_it_and_one_that_can_not_be_written_is_told(
    controller: _Controller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "plan.yaml"
    document.write_text("version: 1\n")
    asked = ["plan", "regional-outage", "--file", str(LOADED.path)]
    assert run([*asked, "-o", str(document)]) == 2
    assert document.read_text() == "version: 1\n"
    assert run([*asked, "-o", str(tmp_path)]) == 2
    assert "can't be written" in capsys.readouterr().err
    kept = tmp_path / "kept.json"
    assert [run([*asked, "-o", str(kept)]) for _ in range(2)] == [0, 0]


def test_what_o_and_out_come_to() -> None:
    here = Path("here.json")
    assert form_and_file("json", None) == ("json", None)
    assert form_and_file("text", here) == ("text", here)
    assert form_and_file(here, None) == form_and_file(here, here) == ("text", here)
    with pytest.raises(CommandError, match="one file"):
        form_and_file(here, Path("there.json"))


def test_a_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "foreseen.json"
    broken.write_text("{}")
    assert run(["run", "--plan", str(broken), "--as", ONE]) == 2
    assert "was not made by `holdfast plan`" in capsys.readouterr().err
