"""A real incident's report is made from its journal, the canary's ledgers and its survey of the stores; what nobody saw stays unknown."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.canary.files import CanaryFiles, Mark, What, write_mark
from holdfast.canary.incident import IncidentProblem, incident_facts
from holdfast.canary.survey import Survey
from holdfast.canary.upkeep import Word
from holdfast.cli.main import run
from holdfast.ledger.entry import LedgerEntry
from holdfast.report.build import build
from unit.canary_bindings import some_bindings
from unit.incident_scene import Setting, setting
from unit.report_facts import DR, END_SECONDS, HOME, IMPACT, ReportStory, voicehive


@pytest.fixture
def scene(tmp_path: Path) -> Setting:
    return setting(tmp_path)


def test_outage_and_loss_are_those_that_a_drill_would_have_measured(scene: Setting) -> None:
    story = ReportStory(kind="incident", way_back=False)
    found = scene(story)
    report, drill = found.report(), build(found.facts)
    assert (report.kind, report.title) == ("incident", "Regional outage, VoiceHive Hotels")
    for mine, its in zip(report.functions, drill.functions, strict=True):
        assert mine.rto_actual_seconds == its.rto_actual_seconds
        assert mine.rpo_actual_seconds == its.rpo_actual_seconds
        assert mine.lost_acknowledged_writes == its.lost_acknowledged_writes
    assert sum(function.lost_acknowledged_writes or 0 for function in report.functions) > 0
    rules = {rule.name: rule.result for rule in report.rules}
    assert rules["rto"] == rules["rpo"] == rules["loss-bound"] == "pass"
    assert rules["single-writer"] == "unknown", "nobody read the old source before it was made a replica"
    assert report.profile == "fast"


def test_after_the_way_home_only_a_survey_from_before_it_can_tell_what_the_failover_lost(scene: Setting) -> None:
    found = scene(ReportStory(kind="incident"))
    blind = found.report()
    assert {function.rpo_actual_seconds for function in blind.functions} == {None}
    found.survey(DR, 24.0, found.facts.after_failover)
    seen = found.report()
    assert [f.lost_acknowledged_writes for f in seen.functions] == [f.lost_acknowledged_writes for f in build(found.facts).functions]
    assert seen.failback.lost_acknowledged_writes == 0


def test_a_survey_from_before_the_failover_or_after_the_return_began_is_not_taken_for_one(scene: Setting) -> None:
    found = scene(ReportStory(kind="incident"))
    for after in (-100.0, END_SECONDS):
        found.survey(DR, after, found.facts.after_failover)
    assert {function.rpo_actual_seconds for function in found.report().functions} == {None}


def test_time_that_the_canary_could_not_measure_weighs(scene: Setting) -> None:
    def asleep(entry: LedgerEntry) -> bool:
        return 4.0 <= entry.sent_seconds - IMPACT < 9.0

    found = scene(ReportStory(kind="incident", way_back=False), asleep)
    write_mark(CanaryFiles(found.sources.ledgers), Mark(IMPACT + 20, What.LEDGER_STOOD, "disk full", IMPACT + 4, IMPACT + 9))
    report = found.report()
    said = {finding.about: finding.sentence for finding in report.findings if finding.weighs}
    assert "disk full" in said["canary of voice"]
    assert report.verdict == "unknown"


def test_an_incident_that_nobody_opened_is_named_with_those_there_are(scene: Setting) -> None:
    found = scene(ReportStory(kind="incident"))
    with pytest.raises(IncidentProblem, match="'inc-9-9'; it has inc-1-1"):
        incident_facts(found.sources, "inc-9-9", IMPACT)


def acknowledged(epoch: int, store: str = "database") -> list[LedgerEntry]:
    entry = ReportStory().facts().ledgers["voice"][0]
    return [LedgerEntry(**{**entry_values(entry), "epoch": epoch, "store": store, "region": DR if epoch > 1 else HOME})]  # type: ignore[arg-type]


def entry_values(entry: LedgerEntry) -> dict[str, object]:
    return {name: getattr(entry, name) for name in LedgerEntry.__dataclass_fields__}


def test_a_survey_is_wanted_once_for_each_new_epoch_of_a_store_with_one_writer(tmp_path: Path) -> None:
    said: list[Word] = []
    bindings = some_bindings()
    survey = Survey(CanaryFiles(tmp_path), bindings, said.append, None)
    for epoch, store in ((1, "database"), (1, "cache"), (2, "storage"), (2, "database"), (2, "cache"), (1, "database")):
        survey.acknowledged(acknowledged(epoch, store))
    assert survey.epoch == 2
    assert survey._wanted.qsize() == 1
    restarted = Survey(CanaryFiles(tmp_path), bindings, said.append, 1)
    restarted.acknowledged(acknowledged(2))
    assert restarted._wanted.qsize() == 1, "the failover happened while the canary did not run"


def test_a_bucket_that_moves_alone_is_looked_at_under_its_own_number_and_with_the_others_only_once(tmp_path: Path) -> None:
    survey = Survey(CanaryFiles(tmp_path), some_bindings(), lambda _: None, 1, 1)
    for epoch, store in ((1, "database"), (2, "storage"), (2, "storage"), (1, "database")):
        survey.acknowledged(acknowledged(epoch, store))
    assert (survey.epoch, survey.bucket_epoch, survey._wanted.qsize()) == (1, 2, 1)
    for store in ("storage", "database", "cache"):
        survey.acknowledged(acknowledged(4, store))
    assert survey._wanted.qsize() == 2, "one failover, one look"


def test_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path), "--incident", "last"]) == 2
    assert "add --plan" in capsys.readouterr().err
    plan = "examples/voicehive/plan.yaml"
    assert run(["report", str(tmp_path), "--incident", "last", "--plan", plan, "--ledgers", str(tmp_path / "none")]) == 2
    assert "`holdfast canary` writes them" in capsys.readouterr().err


def test_availability_is_told_and_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str], scene: Setting) -> None:
    found = scene(ReportStory(kind="incident", way_back=False))
    plan = str(voicehive().path)
    words = ["availability", plan, "--ledgers", str(found.sources.ledgers), "--from", moment(-8), "--to", moment(30)]
    assert run([*words, "-o", "json"]) == 3
    document = json.loads(capsys.readouterr().out)
    voice = document["functions"][0]
    assert voice["unavailable_seconds"] == pytest.approx(12.6, abs=0.5)
    assert voice["available_seconds"] + voice["unavailable_seconds"] + voice["unknown_seconds"] == pytest.approx(38.0)
    assert voice["promises"][0] == {
        **voice["promises"][0],
        "id": "objective",
        "target_percent": 99.9,
        "allowed_seconds": pytest.approx(2592.0),
        "left_seconds": pytest.approx(2592.0 - voice["unavailable_seconds"]),
        "kept": "unknown",
    }
    assert {promise["id"] for promise in voice["promises"]} == {"objective", "enterprise"}
    assert run([*words, "--function", "voice"]) == 3
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("? not known  ")
    assert "next: " in out.splitlines()[-1]
    assert run([*words, "--function", "nothing"]) == 2
    assert run(["availability", plan, "--ledgers", str(tmp_path / "none")]) == 2
    assert run([*words, "--since", "1d"]) == 2


def moment(after_seconds: float) -> str:
    return datetime.fromtimestamp(IMPACT + after_seconds, UTC).isoformat()
