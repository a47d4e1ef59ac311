"""A plan that lacks keys is looked at as far as it is said: what is found is true whatever is written later, and silence is named."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.checks import Finding, check
from holdfast.checks.unfinished import Looked, check_unfinished
from holdfast.cli.main import run
from holdfast.plan.findings import values_at
from holdfast.plan.loader import load_bytes, problems_of
from holdfast.plan.model import Plan
from holdfast.plan.part import NotSaidError
from holdfast.plan.problems import Place
from holdfast.plan.unfinished import unfinished
from unit.plan_texts import REFERENCE, changed

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "plan" / "voicehive-bcp.md"
WHOLE = load_bytes(REFERENCE.read_bytes(), REFERENCE)
DATA: dict[str, Any] = WHOLE.tree


def without(places: list[Place]) -> dict[str, Any]:
    data = deepcopy(DATA)
    for place in places:
        holder: Any = data
        for part in place[:-1]:
            holder = holder[part]
        del holder[place[-1]]
    return data


PATTERNS = (
    "name",
    "version",
    "document.owner",
    *(f"functions.*.{key}" for key in ("name", "priority", "rto", "rpo", "impact")),
    *(f"components.*.{key}" for key in ("kind", "name", "primary_strategy", "rto")),
    *(f"financial_tiers.*.{key}" for key in ("from", "revenue_loss_usd", "customer_impact", "regulatory_risk")),
    *(f"replication_links.*.{key}" for key in ("component", "from", "to")),
    *(f"{section}.*.name" for section in ("dependencies", "vendors", "people", "roles", "audiences", "messages", "exercises", "scenarios")),
    *(f"scenarios.*.phases.*.{key}" for key in ("name", "window", "steps")),
    "escalation.*.answer_within",
)
NEEDED: list[Place] = [place for pattern in PATTERNS for place, _ in values_at(DATA, tuple(pattern.split(".")))]
"""Keys of the reference plan without which a plan doesn't load."""


def same(finding: Finding) -> tuple[str, str, frozenset[Place]]:
    return finding.code, finding.severity.value, frozenset(finding.places)


EVERY = {same(finding) for finding in check(WHOLE.plan)}


def looked_at(places: list[Place]) -> Looked:
    found = unfinished(without(places))
    assert found is not None and {hole.place for hole in found.holes} == set(places)
    return check_unfinished(found)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(NEEDED), min_size=1, max_size=8, unique=True))
def test_what_is_found_in_a_plan_with_holes_is_found_in_the_whole_plan_too(places: list[Place]) -> None:
    looked = looked_at(places)
    assert {same(finding) for finding in looked.findings} <= EVERY


@settings(max_examples=60)
@given(st.lists(st.sampled_from(NEEDED), min_size=1, max_size=8, unique=True))
def test_a_rule_that_is_not_named_as_stopped_has_found_everything(places: list[Place]) -> None:
    looked = looked_at(places)
    silent = {stopped.rule.code for stopped in looked.stopped}
    found = {same(finding) for finding in looked.findings}
    assert {finding for finding in EVERY if finding[0] not in silent} <= found


def test_most_of_a_plans_contradictions_are_found_while_one_number_is_missing() -> None:
    looked = looked_at([("components", "cache", "rto")])
    assert {stopped.lacks for stopped in looked.stopped} == {("components", "cache", "rto")}
    assert len(looked.findings) >= len(EVERY) - 3
    assert any(finding.code == "HF101" for finding in looked.findings)


def test_a_window_that_is_missing_stops_only_the_rules_that_look_at_runs() -> None:
    looked = looked_at([("scenarios", "regional-outage", "phases", 0, "window")])
    assert {stopped.lacks for stopped in looked.stopped} == {("scenarios", "regional-outage", "phases", 0, "window")}
    silent = {stopped.rule.code for stopped in looked.stopped}
    assert {finding[0] for finding in EVERY} - silent, "others look"
    assert {finding.code for finding in looked.findings} >= {finding[0] for finding in EVERY} - silent


def with_usual_observers(*places: Place) -> Any:
    data = without(list(places))
    data.pop("observers", None)
    return unfinished(data)


@pytest.mark.parametrize("place", [("regions",), ("regions", "eu-central-1", "role")], ids=["no regions", "a region without a role"])
def test_observers_that_follow_from_regions_are_not_judged_while_the_regions_are_not_said(place: Place) -> None:
    found = with_usual_observers(place)
    assert found is not None
    looked = check_unfinished(found)
    assert "HF113" not in {finding.code for finding in looked.findings}
    assert place in {stopped.lacks for stopped in looked.stopped if stopped.rule.code == "HF113"}


ABOUT_ABSENCE = {
    "service_levels": {"HF131"},  # the plan's own promise counts then
    "replication_links": {"HF118"},
    "approval": {"HF108"},
    "messages": {"HF137"},
    "exercises": {"HF128"},
    "questions": {"HF129"},
    "regulations": {"HF154"},
}
"""Section of the reference plan → rules that say what a plan without it lacks."""


@pytest.mark.parametrize("section", list(DATA))
def test_no_finding_rests_on_a_section_that_is_not_there(section: str) -> None:
    data = deepcopy(DATA)
    data.pop("observers", None)
    data.pop(section, None)
    holes = unfinished(data)
    if holes is not None:
        found = check_unfinished(holes).findings
    elif problems_of(data):
        return  # other sections name what stands in it: no rule looks at such a plan
    else:
        found = check(Plan.model_validate(data))
    assert {finding.code for finding in found if same(finding) not in EVERY} <= ABOUT_ABSENCE.get(section, set())


def test_what_is_missing_can_not_be_read_for_a_default() -> None:
    found = unfinished(without([("functions", "voice", "rto")]))
    assert found is not None
    with pytest.raises(NotSaidError, match="doesn't say 'rto'") as caught:
        getattr(found.plan.functions["voice"], "rto", 0.0)
    assert found.place(caught.value) == ("functions", "voice", "rto")


@pytest.mark.parametrize(
    "wrong",
    [{"name": 7}, {"functions": {}}, {"surprise": 1}, {"observers": "one"}],
    ids=["another kind", "nothing in it", "an unknown key", "no list"],
)
def test_a_plan_with_anything_else_wrong_is_none_of_these(wrong: dict[str, Any]) -> None:
    assert unfinished({**without([("functions", "voice", "rto")]), **wrong}) is None


def test_a_whole_plan_has_no_holes() -> None:
    assert unfinished(DATA) is None


def test_a_person_sees_the_problem_first_then_what_was_found_then_what_was_not_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written_without(tmp_path, ("functions", "voice", "rto"))
    assert run(["check", str(path)]) == 2
    captured = capsys.readouterr()
    assert "the key 'rto' is missing" in captured.err
    lines = captured.out.splitlines()
    assert lines[0].startswith("? what is there was looked at all the same: ")
    assert any("HF103" in line for line in lines)
    assert "not looked for to the end: HF101 (functions come back in time)" in captured.out and "needs functions.voice.rto" in captured.out
    assert lines[-1] == f"next: add what is missing, then: holdfast check {path}"


def written_without(tmp_path: Path, *places: Place) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(without(list(places)), sort_keys=False), encoding="utf-8")
    return path


def test_programs_get_the_findings_and_the_rules_that_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written_without(tmp_path, ("functions", "voice", "rto"))
    assert run(["check", str(path), "-o", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["loads"] is False and len(report["problems"]) == 1
    assert "HF103" in {finding["code"] for finding in report["findings"]}
    assert {"code": "HF101", "title": "functions come back in time", "needs": ["functions", "voice", "rto"]} in report["not_looked_for"]
    assert run(["check", str(path), "-o", "sarif"]) == 2
    log = json.loads(capsys.readouterr().out)["runs"][0]
    assert {"HF001", "HF103"} <= {result["ruleId"] for result in log["results"]}
    rules = log["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in log["results"])
    assert "HF101" in log["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_where_more_is_wrong_than_missing_keys_it_is_said_that_no_rule_has_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(changed(("backup: matteo-ricci", "backup: mateo-ricci")), encoding="utf-8")
    assert run(["check", str(path)]) == 2
    assert "no rule has looked for contradictions yet" in capsys.readouterr().err
    assert run(["check", str(path), "-o", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["findings"] == [] and len(report["not_looked_for"]) >= 50


def kept_apart(tmp_path: Path, contacts: Any = "contacts.yaml") -> Path:
    """The reference plan without one number, its people's contacts in a file of their own."""
    data = without([("functions", "voice", "rto")])
    apart = {name: {key: person.pop(key) for key in ("email", "phone") if key in person} for name, person in data["people"].items()}
    (tmp_path / "contacts.yaml").write_text(yaml.safe_dump(apart), encoding="utf-8")
    path = tmp_path / "apart.yaml"
    path.write_text(yaml.safe_dump({**data, "contacts": contacts}, sort_keys=False), encoding="utf-8")
    return path


def test_a_plan_whose_contacts_are_kept_apart_is_looked_at_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = []
    for path in (written_without(tmp_path, ("functions", "voice", "rto")), kept_apart(tmp_path)):
        assert run(["check", str(path), "-o", "json"]) == 2
        reports.append(json.loads(capsys.readouterr().out))
    together, apart = ([(one["code"], one["sentence"]) for one in report["findings"]] for report in reports)
    assert apart == together and together
    assert reports[0]["not_looked_for"] == reports[1]["not_looked_for"]


def test_contacts_that_can_not_be_read_are_told_beside_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = kept_apart(tmp_path)
    (tmp_path / "contacts.yaml").unlink()
    assert run(["check", str(path)]) == 2
    said = capsys.readouterr().err
    assert "the plan doesn't load, 2 problems:" in said
    assert "the key 'rto' is missing" in said and "contacts.yaml:1:1: there is no such file" in said
    assert "and over nothing else that is wrong" in said


def test_where_it_is_not_said_how_contacts_are_read_no_rule_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(kept_apart(tmp_path, {"key": {"environment": "HOLDFAST_TEST_KEY"}}))]) == 2
    said = capsys.readouterr().err
    assert "the plan doesn't load, 2 problems:" in said and "the key 'file' is missing" in said
    assert "they step over missing keys, except in 'contacts'" in said


def with_comment(path: Path, comment: str) -> Path:
    path.write_text(path.read_text(encoding="utf-8").replace("summary:", f"{comment}\nsummary:", 1), encoding="utf-8")
    return path


def test_a_comment_is_not_called_useless_while_its_rule_could_not_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comment = "# holdfast: ignore HF101 because it is known"
    run(["check", str(with_comment(written_without(tmp_path), comment)), "-o", "json"])
    assert "there is no HF101 here" in capsys.readouterr().out
    assert run(["check", str(with_comment(written_without(tmp_path, ("functions", "voice", "rto")), comment)), "-o", "json"]) == 2
    assert "there is no HF101 here" not in capsys.readouterr().out


def test_people_and_programs_are_told_the_same_number_of_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written_without(tmp_path, ("functions", "voice", "rto"))
    said = "  availability_percent: "
    text = path.read_text(encoding="utf-8").replace(said, f"  # holdfast: ignore HF103 because it is known\n{said}", 1)
    path.write_text(text, encoding="utf-8")
    assert run(["check", str(path), "-o", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert len(report["ignored"]) == 1
    assert run(["check", str(path)]) == 2
    first = capsys.readouterr().out.splitlines()[0]
    assert f": {len(report['findings'])} findings" in first and "; 1 ignored with a reason" in first


@pytest.mark.shared
def test_a_freshly_imported_document_shows_its_contradictions_before_anybody_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.yaml"
    assert run(["import", str(DOCUMENT), "-o", str(plan)]) == 1
    capsys.readouterr()
    assert run(["check", str(plan), "-o", "json"]) == 2
    report = json.loads(capsys.readouterr().out)
    codes = {finding["code"] for finding in report["findings"]}
    assert {"HF101", "HF102", "HF103", "HF106", "HF128", "HF144", "HF148", "HF149", "HF152"} <= codes
    assert {one["code"]: one["needs"] for one in report["not_looked_for"]} == {"HF111": ["components", "redis-cluster", "primary_strategy"]}
