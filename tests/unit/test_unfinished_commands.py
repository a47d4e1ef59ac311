"""Commands on a plan that isn't finished: what a person has to know comes first, and nothing is said that isn't so."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.checks.finding import Finding, Severity
from holdfast.cli.main import run
from holdfast.plan.loader import load_bytes
from unit.plan_texts import REFERENCE

DATA: dict[str, Any] = load_bytes(REFERENCE.read_bytes(), REFERENCE).tree


def written_without(tmp_path: Path, *sections: str) -> Path:
    data = deepcopy(DATA)
    for section in sections:
        del data[section]
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def test_a_standard_that_could_not_be_looked_up_is_not_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = written_without(tmp_path, "version")
    assert run(["check", str(plan), "--standard", "gdpr"]) == 2
    assert "gdpr was not checked" in capsys.readouterr().err
    assert run(["check", str(plan), "--standard", "gdpr", "-o", "json"]) == 2
    assert json.loads(capsys.readouterr().out)["not_checked_against"] == "gdpr"
    assert run(["check", str(plan), "--standard", "gdrp"]) == 2
    assert "no standard is called 'gdrp'" in capsys.readouterr().err


def test_a_refused_value_is_told_with_its_reason_first_and_older_problems_only_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = written_without(tmp_path, "version", "document")
    assert run(["set", str(plan), "functions.voice.rto", "never"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "nothing was changed; this can't stand at functions.voice.rto" in lines[0] and "'never' is not a duration" in lines[1]
    assert "the plan had 2 other problems before" in lines[2] and len(lines) == 3


def test_a_list_whose_items_lack_something_is_taken_while_the_plan_is_unfinished(tmp_path: Path) -> None:
    plan = written_without(tmp_path, "version")
    assert run(["set", str(plan), "scenarios.regional-outage.phases", "[{ name: Assessment }]"]) == 0
    assert run(["set", str(plan), "scenarios.regional-outage.phases", "[]"]) == 2, "an empty one may not stand there"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("regions.amsterdam.name", "'regions' has to be there first: holdfast set PLAN regions '{ amsterdam: { name: … } }'"),
        ("functions.vioce.rto", "did you mean 'functions.voice'?"),
        ("functions.voice.rto.x", "'functions.voice.rto' is a single value"),
        ("functions.voice.stands_on.first", "'functions.voice.stands_on' is a list of 6: its items are numbers from 0, and 6 adds one"),
        ("financial_tiers.4.from", "'financial_tiers.4' has to be there first: holdfast set PLAN financial_tiers.4 '{ from: … }'"),
        ("functions..rto", "write it as in 'functions.voice.rto'"),
    ],
)
def test_a_place_that_is_not_there_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, says: str
) -> None:
    assert run(["set", str(written_without(tmp_path, "regions")), place, "20m"]) == 2
    assert says in capsys.readouterr().err


def test_a_plan_without_tiers_has_no_last_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", str(written_without(tmp_path, "financial_tiers")), "--function", "voice", "--down", "45m"]) == 0
    said = capsys.readouterr().out
    assert "last one" not in said and "none: write 'financial_tiers'" in said


@pytest.mark.parametrize(("sentence", "ends"), [("it says 5 minutes.", "minutes."), ("it is late", "late."), ("it goes on…", "on…")])
def test_a_finding_that_ends_with_somebodys_full_stop_gets_no_second_one(sentence: str, ends: str) -> None:
    assert Finding("HF139", Severity.NOTE, sentence, (), "write it").ended.endswith(f" {ends}")


def test_questions_stand_first_in_a_long_list_and_what_is_left_out_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"| Work {number} | High | 4 hours | 1 hour | 2 days |\n" for number in range(30))
    table = "| Function | Priority | RTO | RPO | MTPD |\n|---|---|---|---|---|\n" + rows.replace("4 hours", "2-4 hours", 1)
    document = tmp_path / "doc.md"
    document.write_text(f"# Acme\n\n## Impact analysis\n\n{table}\nTell Ann first.\n\n" + "".join(f"- Loose {n}\n" for n in range(30)))
    run(["import", str(document), "-o", str(tmp_path / "plan.yaml")])
    lines = capsys.readouterr().out.splitlines()
    kinds = [line.split("  ")[0] for line in lines[4:]]
    assert kinds[0] == "question"
    listing = next(line for line in lines if "more (" in line).split("`")[1].split()[1:]
    run(listing)
    assert len(json.loads(capsys.readouterr().out)["not_understood"]) > 20, "the command that it names lists them all"
