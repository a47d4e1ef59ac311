"""A real incident ends with one writer proved only by exports that the journal knows, of stores that nobody had overwritten."""

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.conduct.runs import WAY_BACK
from holdfast.journal.kinds import Kind
from holdfast.plan.bindings import TableBinding
from holdfast.providers.file.divergence import FIRST_RUN
from unit.chains import chained, lines_of
from unit.incident_scene import DATABASE, Rows, Scene, call, rules_of, setting
from unit.report_facts import DR, HOME, IMPACT, ReportStory

LATE = call(25.0)
"""Written when the other region was the writer already."""
EARLY = call(-1.0)


@pytest.fixture
def returned(tmp_path: Path) -> Scene:
    """An incident whose failover lost nothing, whose way home is done, and which a canary surveyed in time."""
    found = setting(tmp_path)(ReportStory(kind="incident", lost={}, late_objects=0))
    found.survey(DR, 24.0, found.facts.after_failover)
    return found


def said_of(found: Scene) -> tuple[str, str]:
    report = found.report()
    return rules_of(report)["single-writer"], report.verdict


def test_what_was_exported_before_the_old_writer_was_made_a_replica_shows_that_there_was_one_writer(returned: Scene) -> None:
    assert said_of(returned) == ("unknown", "unknown"), "nobody looked at what it held"
    returned.export(rows=[EARLY])
    assert said_of(returned) == ("unknown", "unknown"), "nor at what DR held when the way home replaced it"
    returned.export(WAY_BACK)
    report = returned.report()
    assert (report.single_writer.violations, report.verdict) == (0, "pass"), [rule for rule in report.rules if rule.result != "pass"]


@pytest.mark.parametrize(
    "rows",
    [
        [LATE],
        [LATE, EARLY],
        [call(25.0, request=None), call(-1.0, request=None)],
        [call(25.0, epoch="1")],
    ],
    ids=["one", "two of one request", "two of none", "an epoch in words"],
)
def test_a_row_that_the_old_writer_took_when_another_wrote_already_is_found_in_its_export(rows: Rows, returned: Scene) -> None:
    returned.export(rows=rows)
    returned.export(WAY_BACK)
    assert said_of(returned) == ("fail", "fail")
    assert any(f"under epoch 1 in {HOME}" in detail for detail in returned.report().single_writer.details)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_new_york")
def test_a_moment_without_a_zone_is_taken_as_whoever_reads_the_live_store_takes_it(returned: Scene) -> None:
    returned.export(rows=[call(-1.0, written_at=str(EARLY["written_at"]).removesuffix("+00:00"))])
    returned.export(WAY_BACK)
    assert said_of(returned) == ("pass", "pass")


def test_a_row_counts_in_a_partition_of_its_table_and_however_the_bindings_name_that(returned: Scene) -> None:
    returned.export(rows=[LATE], place={"table": ["public", "calls_2026_05"], "partition_of": ["public", "calls"]})
    returned.export(WAY_BACK)
    assert said_of(returned) == ("fail", "fail")
    whole = DATABASE.model_copy(update={"records": {"public.calls": TableBinding()}})
    components = {**returned.sources.bindings.components, "database": {HOME: whole, DR: whole}}
    returned.sources = replace(returned.sources, bindings=returned.sources.bindings.model_copy(update={"components": components}))
    assert said_of(returned) == ("fail", "fail")


def test_rows_of_tables_that_the_bindings_do_not_name_are_told_and_prove_nothing(returned: Scene) -> None:
    returned.export(rows=[LATE, EARLY], place={"table": ["billing", "paid"]})
    returned.export(WAY_BACK)
    told = {finding.about: finding.sentence for finding in returned.report().findings}
    assert told["database billing.paid"].startswith(
        f"The single-writer check does not look at 2 entries of database billing.paid that only {HOME}"
    )


@pytest.mark.parametrize("other", [{"epoch": None}, {"written_at": "infinity"}, {"epoch": "1.0"}, {"epoch": True}])
def test_a_row_that_does_not_say_when_or_under_which_epoch_it_was_written_leaves_the_rule_open(
    other: Mapping[str, object], returned: Scene
) -> None:
    returned.export(rows=[call(25.0, **other)])
    returned.export(WAY_BACK)
    assert said_of(returned) == ("unknown", "unknown")


@pytest.mark.parametrize(("first", "second"), [((), ("cache",)), (("database",), ())])
def test_a_store_that_its_export_lacks_leaves_the_rule_open_and_is_named(
    first: Collection[str], second: Collection[str], returned: Scene
) -> None:
    returned.export(lacks=first)
    returned.export(WAY_BACK, lacks=second)
    assert said_of(returned) == ("unknown", "unknown")
    [name] = {*first, *second}
    assert any(name in detail and "not read" in detail for detail in returned.report().single_writer.details)


@pytest.mark.parametrize(
    "head",
    [{"source": DR, "target": HOME}, {"how": "same-timeline"}, {"exported_seconds": IMPACT + 60.0}],
    ids=["of the other region", "had the writer's history already", "when it had been ordered to follow"],
)
def test_an_export_that_can_show_nothing_of_the_old_writer_leaves_the_rule_open(head: dict[str, Any], returned: Scene) -> None:
    returned.export(**head)
    returned.export(WAY_BACK)
    assert said_of(returned) == ("unknown", "unknown")


@pytest.mark.parametrize("run", [FIRST_RUN, WAY_BACK])
def test_an_export_that_the_journal_does_not_know_leaves_the_rule_open(run: str, returned: Scene) -> None:
    returned.export()
    returned.export(WAY_BACK)
    returned.journal_says(run, "of another")
    assert said_of(returned) == ("unknown", "unknown")


def test_an_export_from_before_the_run_opened_its_epoch_leaves_the_rule_open(returned: Scene) -> None:
    """The way home was begun anew, and this time nobody exported."""
    returned.export()
    returned.export(WAY_BACK)
    again = next(record for record in returned.records if record.kind == Kind.EPOCH_OPENED and record.body["run"] == WAY_BACK)
    returned.journal(chained([*lines_of(returned.records), (IMPACT + 60.0, again.kind, again.incident, again.body)]))
    assert said_of(returned)[0] == "unknown"


def test_what_was_read_of_the_old_writer_never_hides_what_its_export_shows(returned: Scene) -> None:
    returned.export(rows=[LATE])
    returned.export(WAY_BACK)
    returned.survey(HOME, 20.0, returned.facts.before_reprotect)
    assert said_of(returned) == ("fail", "fail")


def test_a_store_that_was_read_whole_after_its_fence_needs_no_export(returned: Scene) -> None:
    returned.export(lacks=("database",))
    returned.export(WAY_BACK)
    returned.survey(HOME, 6.0, returned.facts.before_reprotect)
    assert said_of(returned) == ("unknown", "unknown"), "it was not fenced yet"
    returned.survey(HOME, 25.0, returned.facts.before_reprotect)
    assert said_of(returned)[0] == "pass"
