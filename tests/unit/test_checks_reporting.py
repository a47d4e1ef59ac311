"""How findings are reported: as SARIF, ignored with a reason, explained, and held against standards."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.checks.standards import STANDARDS
from holdfast.cli.main import run
from holdfast.plan.comments import ignores_of
from unit.plan_texts import REFERENCE, changed

RTO = "    rto: 15m\n    rpo: 5m\n    impact: Calls"


def written(directory: Path, *edits: tuple[str, str]) -> Path:
    path = directory / "plan.yaml"
    path.write_text(changed(*edits), encoding="utf-8")
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(list(arguments))
    return code, json.loads(capsys.readouterr().out)


def ignoring(comment: str) -> tuple[str, str]:
    return (RTO, RTO.replace("rto: 15m", f"rto: 15m {comment}", 1))


def test_a_comment_with_a_reason_ignores_the_findings_of_its_line_and_keeps_them_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, ignoring("# holdfast: ignore HF101 because the contract is being changed"))
    code, report = said(capsys, "check", str(path), "-o", "json")
    assert code == 0
    assert {one["because"] for one in report["ignored"]} == {"the contract is being changed"}
    assert len(report["ignored"]) == 3
    assert not [one for one in report["findings"] if one["code"] == "HF101" and "Voice" in one["sentence"]]


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("# holdfast: ignore HF101", "HF190"),
        ("# holdfast: ignore HF113 because it is so", "HF191"),
        ("# holdfast: ignore HF999 because it is so", "HF192"),
    ],
)
def test_a_comment_that_ignores_nothing_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str], comment: str, code: str) -> None:
    _, report = said(capsys, "check", str(written(tmp_path, ignoring(comment))), "-o", "json")
    assert report["ignored"] == []
    assert [one["code"] for one in report["findings"] if one["code"].startswith("HF19")] == [code]


@pytest.mark.parametrize("before", ["# line 34 #", "# line 34;", "#", "# as agreed,"])
@pytest.mark.parametrize("word", ["holdfast:", "holdfast"])
def test_it_counts_behind_another_comment_of_its_line_and_without_its_colon(before: str, word: str) -> None:
    (wish,) = ignores_of(f"rto: 15m {before} {word} ignore HF101 because it changes\n")
    assert (wish.code, wish.reason, wish.lines) == ("HF101", "it changes", (1,))


@pytest.mark.parametrize(
    "prose", ["never let holdfast ignore HF101 because it matters", "what holdfast: ignore HF101 because … would mean"]
)
def test_prose_that_speaks_of_ignoring_is_no_wish(prose: str) -> None:
    assert ignores_of(f"rto: 15m # {prose}\n") == ()


def test_only_what_yaml_reads_as_a_comment_counts() -> None:
    text = """a: "x # holdfast: ignore HF101 because no"
b: |
  # holdfast: ignore HF102 because no
c: x#y
# holdfast: ignore HF104 because yes
d: 1 # holdfast: ignore HF105 because yes
"""
    assert [(wish.code, wish.lines) for wish in ignores_of(text)] == [("HF104", (6,)), ("HF105", (6,))]


SARIF_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {"driver": {"required": ["name"], "properties": {"rules": {"items": {"required": ["id"]}}}}},
                    },
                    "results": {
                        "items": {
                            "required": ["message", "ruleId", "level", "locations"],
                            "properties": {
                                "message": {"required": ["text"]},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "locations": {"minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/location"}},
                                "relatedLocations": {"uniqueItems": True, "items": {"$ref": "#/$defs/location"}},
                                "suppressions": {
                                    "items": {"required": ["kind"], "properties": {"kind": {"enum": ["inSource", "external"]}}}
                                },
                            },
                        }
                    },
                },
            },
        },
    },
    "$defs": {
        "location": {
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation", "region"],
                    "properties": {
                        "artifactLocation": {"properties": {"uri": {"type": "string", "pattern": "^[^ /][^ ]*$"}}},
                        "region": {"properties": {key: {"type": "integer", "minimum": 1} for key in ("startLine", "startColumn")}},
                    },
                }
            },
        }
    },
}
"""The parts of the published schema that Holdfast writes, and that files are relative."""


def test_sarif_is_valid_names_files_as_the_repository_does_and_suppresses_what_is_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import jsonschema

    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, ignoring("# holdfast: ignore HF101 because it changes"))
    _, log = said(capsys, "check", str(path), "--format", "sarif")
    jsonschema.validate(log, SARIF_SCHEMA)
    results = log["runs"][0]["results"]
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results} == {"plan.yaml"}
    assert [one["suppressions"][0]["justification"] for one in results if "suppressions" in one] == ["it changes"] * 3
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in results)


def test_the_exit_code_follows_the_severity_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert [run(["check", str(REFERENCE), "--fail-on", severity]) for severity in ("error", "warning", "note")] == [0, 1, 1]
    capsys.readouterr()


def test_a_rule_explains_itself_and_an_unknown_one_names_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "hf101"]) == 0
    assert "bring" in capsys.readouterr().out
    assert run(["explain", "HF001"]) == 0, "what a plan that doesn't load is called in SARIF is explained too"
    assert "HF001: the plan loads" in capsys.readouterr().out
    assert run(["explain", "HF1O1"]) == 2
    assert "holdfast explain" in capsys.readouterr().err


@pytest.mark.parametrize("name", STANDARDS)
def test_what_a_standard_asks_is_covered_with_a_line_or_missing_with_a_hint(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = said(capsys, "check", str(REFERENCE), "--standard", name, "-o", "json")
    assert code == 1
    for one in report["requirements"]:
        assert one["places"] or not one["covered"]
        assert bool(one["lacks"]) is bool(one["hint"]) is not one["covered"]
        assert all(place["line"] > 1 for place in (*one["places"], *(place for lack in one["lacks"] for place in lack["places"])))
