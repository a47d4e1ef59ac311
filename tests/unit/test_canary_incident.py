"""A real incident's report is made from its journal, the canary's ledgers and its survey of the stores; what nobody saw stays unknown."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from holdfast.canary import incident as incident_module
from holdfast.canary.files import CanaryFiles, Mark, What, write_mark
from holdfast.canary.incident import IncidentProblem, IncidentSources, incident_facts
from holdfast.canary.records import write as write_contents
from holdfast.canary.survey import Survey
from holdfast.canary.upkeep import Word
from holdfast.cli.main import run
from holdfast.conduct.runs import WAY_BACK
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.entry import LedgerEntry
from holdfast.ledger.reading import LedgerWriter
from holdfast.plan.bindings import PostgresBinding, RedisBinding, TableBinding
from holdfast.providers.file.divergence import EXPORTS, FIRST_RUN, directory_of
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.report.build import build
from holdfast.report.divergence import JSON_NAME, Divergence, divergence_json
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Report
from unit.canary_bindings import some_bindings
from unit.report_facts import DR, END_SECONDS, HOME, IMPACT, INCIDENT, ReportStory, voicehive

NOWHERE = Path("/nowhere")
DATABASE = PostgresBinding(
    host="127.0.0.1", port=1, database="voicehive", user="holdfast", password_file=NOWHERE, records={"calls": TableBinding()}
)
CACHE = RedisBinding(host="127.0.0.1", port=1, password_file=NOWHERE, records=("session:",))


@dataclass
class Scene:
    """An incident that lies behind us, on disk."""

    facts: ReportFacts
    sources: IncidentSources

    def survey(self, region: str, after_seconds: float, contents: Sequence[StoreContents]) -> None:
        name = f"{IMPACT + after_seconds:017.6f}.{region}.json"
        write_contents(CanaryFiles(self.sources.ledgers).contents / name, region, contents)

    def export(self, run: str = FIRST_RUN, rows: Sequence[Mapping[str, object]] = (), lacks: Collection[str] = ()) -> None:
        """Write what a run exported of its source: `rows` of calls that only it held. `lacks`: components that nobody could look at."""
        root = self.sources.journal.parent / EXPORTS
        directory = directory_of(root, INCIDENT, run)
        directory.mkdir(parents=True)
        lines = [
            {"id": f"calls/{number}", "change": "only-here", "table": ["public", "calls"], "here": row} for number, row in enumerate(rows)
        ]
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        (directory / "rows").write_bytes(content)
        part = {"name": "calls", "file": "rows", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        counts = {"only_here": len(rows), "differs": 0, "deleted_here": 0}
        source, target = (HOME, DR) if run == FIRST_RUN else (DR, HOME)
        components = [
            {"component": name, "kind": kind, "status": "missing", "detail": f"{name} gave no answer"}
            if name in lacks
            else {"component": name, "kind": kind, "status": "exported", "how": "compared", "looked_at": True, "parts": parts}
            for name, kind, parts in (("database", "postgres", [part | counts]), ("cache", "redis", []))
        ]
        head = {"incident": INCIDENT, "run": run, "source": source, "target": target, "order": (0, 2, 1, 20)}
        found = Divergence.model_validate({**head, "exported_seconds": IMPACT + 33.0, "components": components})
        (directory / JSON_NAME).write_text(divergence_json(found), encoding="utf-8")

    def report(self, now_seconds: float = IMPACT + END_SECONDS) -> Report:
        return build(incident_facts(self.sources, INCIDENT, now_seconds))


class Setting(Protocol):
    """Puts an incident on disk, without the entries that are to be left out."""

    def __call__(self, story: ReportStory, skip: Callable[[LedgerEntry], bool] = ...) -> Scene: ...


Stores = Mapping[str, Sequence[StoreContents]]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    def made(story: ReportStory, skip: Callable[[LedgerEntry], bool] = lambda _: False) -> Scene:
        facts = story.facts()
        with SqliteJournal(tmp_path / "journal.db") as journal:
            journal.append(facts.records)
        for function, entries in facts.ledgers.items():
            writer = LedgerWriter(tmp_path / "canary" / f"{function}.jsonl")
            writer.write(entry for entry in entries if not skip(entry))
            writer.close()
        bindings = some_bindings(components={"database": {HOME: DATABASE, DR: DATABASE}, "cache": {HOME: CACHE, DR: CACHE}})
        held: Stores = {story_region(facts.at_end): facts.at_end, story_region(facts.after_failover): facts.after_failover}
        monkeypatch.setattr(incident_module, "canary_records", lambda _, region, since: tuple(held[region]))
        return Scene(facts, IncidentSources(voicehive(), bindings, tmp_path / "journal.db", tmp_path / "canary"))

    return made


def story_region(contents: Sequence[StoreContents]) -> str:
    return contents[0].region


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


def rules_of(report: Report) -> dict[str, str]:
    return {rule.name: rule.result for rule in report.rules}


def call(after_seconds: float, epoch: int = 1) -> dict[str, object]:
    written = datetime.fromtimestamp(IMPACT + after_seconds, UTC).isoformat()
    return {"request": "voice-00099", "epoch": epoch, "region": HOME, "written_at": written}


def returned(scene: Setting) -> Scene:
    """An incident whose failover lost nothing, whose way home is done, and which a canary surveyed in time."""
    found = scene(ReportStory(kind="incident", lost={}, late_objects=0))
    found.survey(DR, 24.0, found.facts.after_failover)
    return found


def test_what_was_exported_before_the_old_writer_was_made_a_replica_shows_that_there_was_one_writer(scene: Setting) -> None:
    found = returned(scene)
    assert rules_of(found.report())["single-writer"] == "unknown", "nobody looked at what it held"
    found.export()
    found.export(WAY_BACK)
    report = found.report()
    assert (rules_of(report)["single-writer"], report.single_writer.violations) == ("pass", 0)
    assert report.verdict == "pass", [rule for rule in report.rules if rule.result != "pass"]


def test_a_row_that_the_old_writer_took_when_another_wrote_already_is_found_in_its_export(scene: Setting) -> None:
    found = returned(scene)
    found.export(rows=[call(25.0)])
    found.export(WAY_BACK)
    report = found.report()
    assert (rules_of(report)["single-writer"], report.verdict) == ("fail", "fail")
    assert any(
        "calls/voice-00099 was written" in detail and f"under epoch 1 in {HOME}" in detail for detail in report.single_writer.details
    )


@pytest.mark.parametrize(("first", "second"), [((), ("cache",)), (("database",), ())])
def test_a_store_that_its_export_lacks_leaves_the_single_writer_open_and_is_named(
    first: Collection[str], second: Collection[str], scene: Setting
) -> None:
    found = returned(scene)
    found.export(lacks=first)
    found.export(WAY_BACK, lacks=second)
    report = found.report()
    assert (rules_of(report)["single-writer"], report.verdict) == ("unknown", "unknown")
    [name] = {*first, *second}
    assert any(name in detail and "not read" in detail for detail in report.single_writer.details)


def test_a_store_that_was_read_whole_is_taken_before_its_export(scene: Setting) -> None:
    found = returned(scene)
    found.export(lacks=("database",))
    found.export(WAY_BACK)
    found.survey(HOME, 25.0, found.facts.before_reprotect)
    assert rules_of(found.report())["single-writer"] == "pass"


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
