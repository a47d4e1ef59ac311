"""A real incident in which one component moved alone is given the same truth about its loss as a drill of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from holdfast.canary.files import CanaryFiles
from holdfast.canary.incident import IncidentSources, incident_facts
from holdfast.canary.records import write as write_contents
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record, following
from holdfast.ledger.contents import StoreContents
from holdfast.ledger.reading import LedgerWriter
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Report
from holdfast.simulation.stage import Stage
from simulation.playing import LOADED
from simulation.test_component_drills import DR, DRILLS, HOME, drilled
from unit.canary_bindings import some_bindings


@cache
def drill(scenario: str) -> ReportFacts:
    """A drill in which objects reach the other region two seconds late."""

    def slow(stage: Stage) -> None:
        stage.world.regions[HOME].bucket.lag_seconds = 2.0

    return drilled(scenario, interfere=slow)[1].facts


@dataclass
class Behind:
    """The same as an incident that lies behind us, on disk. `reads`: regions whose stores the report asked."""

    facts: ReportFacts
    sources: IncidentSources
    reads: list[str]

    def survey(self, at_seconds: float) -> None:
        """The canary read DR's stores then."""
        found = [store for store in self.facts.after_failover if store.region == DR]
        write_contents(CanaryFiles(self.sources.ledgers).contents / f"{at_seconds:017.6f}.{DR}.json", DR, found)

    def report(self) -> Report:
        return build(incident_facts(self.sources, None, self.facts.ended_seconds))

    def moment(self, kind: Kind, run: str) -> float:
        return next(record.at_seconds for record in self.facts.records if record.kind == kind and record.body.get("run") == run)


Told = Callable[..., Behind]


@pytest.fixture
def behind(tmp_path: Path) -> Told:
    def made(scenario: str, records: Sequence[Record] | None = None, held: Sequence[StoreContents] | None = None) -> Behind:
        """`records`: the journal until now; `held`: what the stores hold now. By default both regions as they were at the very end."""
        facts, reads = drill(scenario), list[str]()
        with SqliteJournal(tmp_path / "journal.db") as journal:
            journal.append(facts.records if records is None else records)
        for function, entries in facts.ledgers.items():
            writer = LedgerWriter(tmp_path / "canary" / f"{function}.jsonl")
            writer.write(entries)
            writer.close()
        now = facts.at_end if held is None else held

        def read(_: object, region: str, since: float) -> tuple[StoreContents, ...]:
            reads.append(region)
            return tuple(found for found in now if found.region == region)

        return Behind(facts, IncidentSources(LOADED, some_bindings(), tmp_path / "journal.db", tmp_path / "canary", look=read), reads)

    return made


def figures(report: Report) -> list[tuple[object, ...]]:
    return [
        (one.id, one.rto_actual_seconds, one.rpo_actual_seconds, one.lost_acknowledged_writes, one.late_writes) for one in report.functions
    ]


def rules(report: Report, *names: str) -> list[str]:
    return [rule.result for name in names for rule in report.rules if rule.name == name]


@pytest.mark.parametrize("scenario", DRILLS)
def test_after_the_way_home_loss_and_outage_are_those_that_the_drill_measured(behind: Told, scenario: str) -> None:
    incident = behind(scenario)
    started = Kind.EPOCH_OPENED if scenario == "database-failover" else Kind.RUN_NUMBERED
    incident.survey(incident.moment(started, "failover") + 1.0)
    report = incident.report()
    assert figures(report) == figures(build(incident.facts))
    assert rules(report, "rto", "rpo", "loss-bound") == ["pass"] * 3


def test_a_bucket_that_moved_alone_can_be_read_until_it_is_brought_home(behind: Told) -> None:
    whole = drill("storage-failover")
    home = next(index for index, record in enumerate(whole.records) if record.body.get("run") == "reprotect")
    incident = behind("storage-failover", whole.records[:home], whole.after_failover)
    report = incident.report()
    voice = next(function for function in report.functions if function.id == "voice")
    assert voice.lost_acknowledged_writes and voice.rpo_actual_seconds, "what the other bucket lacks is not back yet"
    assert rules(report, "single-writer", "loss-bound") == ["pass", "pass"], "the writer stayed, and could be read"


def test_without_a_survey_only_what_the_moved_bucket_lost_is_unknown_afterwards(behind: Told) -> None:
    incident = behind("storage-failover")
    for after in (-1.0, incident.facts.ended_seconds):
        incident.survey(after)
    lost = {function.id: function.lost_acknowledged_writes for function in incident.report().functions}
    assert lost == {"voice": None, "pms": 0, "authentication": 0, "analytics": 0, "configuration": 0}


def test_where_only_the_application_moved_no_store_of_the_other_region_is_asked(behind: Told) -> None:
    incident = behind("application-failover")
    assert {function.lost_acknowledged_writes for function in incident.report().functions} == {0}
    assert set(incident.reads) == {HOME}


def test_what_a_later_incident_moved_says_nothing_about_this_one_any_more(behind: Told) -> None:
    facts = drill("application-failover")
    records = list(facts.records)
    for kind, body in (
        (Kind.INCIDENT_OPENED, {**next(r.body for r in records if r.kind == Kind.INCIDENT_OPENED), "scenario": "regional-outage"}),
        (Kind.EPOCH_OPENED, {"run": "failover", "era": 0, "epoch": 9, "source": HOME, "target": DR}),
    ):
        records.append(following((records[-1].sequence, records[-1].hash), records[-1].at_seconds + 1, kind, "inc-9-9", body))
    incident = behind("application-failover", records)
    first = next(record.incident for record in records if record.kind == Kind.INCIDENT_OPENED)
    report = build(incident_facts(incident.sources, first, facts.ended_seconds))
    assert {function.lost_acknowledged_writes for function in report.functions} == {None}
