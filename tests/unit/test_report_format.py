"""report.json, format holdfast/report/v1: the schema, the fields that others build on, and reading it back."""

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from holdfast.report.build import build
from holdfast.report.divergence import json_schema as divergence_schema
from holdfast.report.format import json_schema, read_report, report_json
from holdfast.report.model import LISTED_LOSSES, Report
from unit.report_facts import ReportStory

# What issue builders and auditors may rely on: version 1 never loses one of these.
VERSION_1: dict[str, Any] = {
    "schema": None,
    "plan": ("name", "version", "digest"),
    "kind": None,
    "execution": None,
    "profile": None,
    "replication": None,
    "scenario": None,
    "verdict": None,
    "reasons": None,
    "detected_after_seconds": None,
    "decided_after_seconds": None,
    "outage_seconds": None,
    "functions": (
        "name",
        "priority",
        "rto_target_seconds",
        "rto_actual_seconds",
        "rpo_target_seconds",
        "rpo_actual_seconds",
        "acknowledged_writes",
        "lost_acknowledged_writes",
        "met",
    ),
    "components": ("name", "rto_target_seconds", "rto_actual_seconds", "met"),
    "phases": ("name", "planned_start_seconds", "planned_end_seconds", "actual_start_seconds", "actual_end_seconds"),
    "steps": ("block", "started_seconds", "ended_seconds", "outcome", "attempts"),
    "loss_bound": ("seconds", "estimated_writes"),
    "single_writer": ("checked", "violations"),
    "failback": ("done", "outage_seconds", "lost_acknowledged_writes"),
    "journal": ("records", "head"),
}
REGENERATE = (
    "python -c 'import json; from holdfast.report.format import json_schema; "
    "print(json.dumps(json_schema(), indent=2, ensure_ascii=False))' > src/holdfast/report/schema.json"
)


@cache
def reports() -> tuple[Report, ...]:
    facts = ReportStory().facts()
    nothing = replace(facts, records=(), ledgers={}, after_failover=(), before_reprotect=(), at_end=(), incident="")
    stopped = ReportStory(
        kind="incident", way_back=False, failover_outcome=None, loss_bound_seconds=None, outcomes={"deploy": ("failed", "no")}
    )
    return build(facts), build(nothing), build(stopped.facts())


def _schema() -> Any:
    return json.loads((files("holdfast.report") / "schema.json").read_text(encoding="utf-8"))


def test_the_schema_of_the_export_is_what_its_model_says() -> None:
    written = json.loads((files("holdfast.report") / "divergence.schema.json").read_text(encoding="utf-8"))
    assert written == divergence_schema(), f"make the file anew: {REGENERATE.replace('report.model', 'report.divergence')}"


def test_the_schema_file_is_what_the_model_says() -> None:
    assert _schema() == json_schema(), f"the model changed; make the file anew: {REGENERATE}"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(_schema())


@pytest.mark.parametrize("index", range(3))
def test_reports_hold_to_the_schema(index: int) -> None:
    Draft202012Validator(_schema()).validate(json.loads(report_json(reports()[index])))


def test_the_schema_refuses_what_is_no_report() -> None:
    value = json.loads(report_json(reports()[0]))
    validator = Draft202012Validator(_schema())
    for field in VERSION_1:
        assert not validator.is_valid({key: item for key, item in value.items() if key != field}), field
    assert not validator.is_valid({**value, "verdict": "good"})
    assert not validator.is_valid({**value, "schema": "holdfast/report/v2"})


@pytest.mark.parametrize("index", range(3))
def test_every_field_of_version_1_is_there(index: int) -> None:
    value = json.loads(report_json(reports()[index]))
    for field, inner in VERSION_1.items():
        assert field in value
        for item in value[field] if isinstance(value[field], list) else [value[field]]:
            assert set(inner or ()) <= set(item) if inner else True
    assert value["schema"] == "holdfast/report/v1"
    assert isinstance(value["single_writer"]["checked"], bool)


@pytest.mark.parametrize("index", range(3))
def test_a_report_reads_back_as_it_was(index: int) -> None:
    assert read_report(report_json(reports()[index])) == reports()[index]


def test_what_was_not_measured_is_null_and_never_zero() -> None:
    value = json.loads(report_json(reports()[1]))
    assert value["outage_seconds"] is None
    assert value["functions"][0]["lost_acknowledged_writes"] is None
    assert value["single_writer"]["violations"] is None


def test_a_report_of_a_later_version_with_more_fields_is_read() -> None:
    value = {**json.loads(report_json(reports()[0])), "added_later": {"x": 1}}
    value["functions"][0]["added_later"] = 1
    assert read_report(json.dumps(value)) == reports()[0]


def test_a_report_with_only_the_fields_of_the_issue_and_its_frame_is_read() -> None:
    schema = _schema()
    value = {key: item for key, item in json.loads(report_json(reports()[0])).items() if key in schema["required"]}
    assert read_report(json.dumps(value)).verdict == "pass"


def test_bad_files_name_their_place() -> None:
    value = {**json.loads(report_json(reports()[0])), "outage_seconds": "long"}
    with pytest.raises(ValidationError, match="outage_seconds"):
        read_report(json.dumps(value))


def test_only_the_first_hundred_losses_are_listed_and_all_are_counted() -> None:
    report = build(ReportStory(lost={"voice": 30, "pms": 20, "authentication": 20, "analytics": 20, "configuration": 20}).facts())
    assert report.lost_writes.total == 110
    assert len(report.lost_writes.listed) == LISTED_LOSSES
