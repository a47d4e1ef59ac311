"""The drill on real servers: it passes, whoever is killed; nothing of it is left."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from holdfast.cli.main import run
from holdfast.drill.conclusion import conclude, with_targets
from holdfast.drill.drilling import RunningDrill
from holdfast.drill.settings import DrillSettings
from holdfast.journal.kinds import Kind
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.loader import load
from holdfast.providers.file import divergence as divergences
from holdfast.providers.sqlite.journal import JournalReader
from lab.broken_controller import DIED
from lab.drill_rig import drilled, finished, patient_plan, place
from lab.lab_rig import PLAN

pytestmark = pytest.mark.alone


def entries(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def died_of(directory: Path) -> list[str]:
    return (directory / "lab" / "controller" / DIED).read_text(encoding="utf-8").split()


@pytest.mark.timeout(400)
def test_a_drill_passes_though_the_controller_is_killed_at_fence_promotion_dns_and_on_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = ["fence@before", "promote-database@after", "switch-dns@before", "reprotect-database@after", "promote-home-database@before"]
    with place() as directory:
        over = drilled(directory, monkeypatch, broken=f"die:{','.join(deaths)}")
        assert over.report.verdict == "pass", over.said()
        assert set(died_of(directory)) == set(deaths)
        # A real report is held to its schema, and a real journal to its chain, over six controllers.
        schema = json.loads((files("holdfast.report") / "schema.json").read_text(encoding="utf-8"))
        found = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
        terms = [record.body["term"] for record in over.result.evidence.records if record.kind == "controller.started"]
        assert terms == list(range(1, len(deaths) + 2))
        assert len(list(JournalReader(directory / "lab" / "controller" / "journal.db").read())) == found["journal"]["records"]
        # What DR held was read before the way home replaced it: its half of the single-writer check.
        read = {found.store for found in over.result.evidence.before_return_contents if found.records is not None}
        assert (read, over.report.single_writer.checked) == ({"database", "cache"}, True), over.result.evidence.before_return_contents
        # Its files are below its directory only.
        assert entries(directory) == {"lab", "report.json", "report.html"}
        assert entries(directory / "lab") == {"log", "ledgers", "controller", "received", "holdfast-lab", "lab.lock"}

    with place() as aside:
        # The same evidence judged by a plan that promised more.
        strict = conclude(DrillSettings(PLAN, "regional-outage", aside), with_targets(load(PLAN), rto=1.0), over.result, aside)
        assert strict.verdict == "fail"
        assert {rule.name for rule in strict.rules if rule.result == "fail"} == {"rto"}


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_drill_passes_though_the_controller_is_killed_at_every_step_in_turn(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as aside, place() as directory:
        bounds: dict[str, Any] = {"failover_bound_seconds": 300.0, "return_bound_seconds": 400.0}
        over = drilled(directory, monkeypatch, plan=patient_plan(aside), broken=f"die:*@{when}", **bounds)
        assert over.report.verdict == "pass", over.said()
        acted = {step.step for step in over.report.steps if BLOCKS[step.block].actor is Actor.PROVIDER}
        died = {moment.removesuffix(f"@{when}") for moment in died_of(directory)}
        # A step whose effect was there already when it was looked for isn't acted on, so nothing can die of it.
        assert died <= acted
        assert len(acted - died) <= 8, f"nobody died of {acted - died}"


@pytest.mark.prove
def test_a_synchronous_drill_loses_no_acknowledged_write(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(directory, monkeypatch, replication="synchronous")
        assert over.report.verdict == "pass", over.said()
        assert over.report.replication == "synchronous"
        assert over.rule("synchronous"), over.said()
        assert over.report.lost_writes.rows_and_keys == 0, over.said()


@pytest.mark.prove
@pytest.mark.timeout(500)
def test_what_only_the_lost_region_held_explains_every_lost_write_and_a_chosen_one_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wished: list[str] = []

    def give_one_back(drill: RunningDrill) -> None:
        if not wished and finished(drill, "redis.reprotect", "reprotect"):
            (export,) = (drill.lab.layout.controller / "divergence").iterdir()
            held = [entry.identifier for entry in divergences.entries(divergences.read(export), export)]
            wished.append(next(name for name in held if name.startswith("logins/authentication")))
            chosen = ["--only", wished[0], "--as", drill.conductor, "--lab", str(drill.lab.directory)]
            assert run(["divergence", "apply", export.name, *chosen, "--only", "logins/none"]) == 1
            assert [run(["divergence", "apply", export.name, *chosen]) for _ in range(2)] == [0, 0]
            assert run(["divergence", export.name, "--lab", str(drill.lab.directory)]) == 0

    with place() as directory:
        over = drilled(directory, monkeypatch, interfere=give_one_back, copies_cut_seconds=1.0)
        there, lost = over.report.only_there, over.report.lost_writes.total
        assert lost is not None and lost > 0, over.said()
        assert (there.lost_found, there.lost_missing) == (lost, 0), over.said()
        assert over.rule("divergence") and over.rule("rpo") and over.rule("loss-bound"), over.said()
        database = next(one for one in there.components if one.component == "database")
        assert database.only_here > 0
        bodies = [record.body["results"] for record in over.result.evidence.records if record.kind == Kind.REAPPLIED]
        results = [[one["result"] for one in body if one["id"] == wished[0]] for body in bodies]
        assert results == [["withheld"], ["applied"], ["already"]]
        assert (there.given_back, [one.id for one in there.listed if one.given_back]) == (1, wished)
        at_end = next(one for one in over.result.evidence.at_end_contents if one.store == "database")
        assert at_end.records is not None and wished[0] in at_end.records
