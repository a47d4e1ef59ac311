"""The company's document, imported: every contradiction that it holds is said, each with the values that contradict each other.

By commands alone, as the document's owner would: what it lacks is written with `holdfast set`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "plan" / "voicehive-bcp.md"


@pytest.fixture
def found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The findings of the imported document."""
    plan = str(tmp_path / "plan.yaml")
    assert run(["import", str(DOCUMENT), "-o", plan]) == 1, "two values are not in the document"
    assert run(["set", plan, "components.redis-cluster.rto", "10m"]) == 0
    assert run(["set", plan, "components.redis-cluster.primary_strategy", "Promote the replica"]) == 0
    capsys.readouterr()
    assert run(["check", plan, "-o", "json"]) == 1, "nobody may approve, and nothing fences"
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert isinstance(findings, list)
    return findings


CONTRADICTIONS = (
    ("HF101", "functions.voice-call-processing.rto", "scenarios.regional-outage.phases.4.window"),
    ("HF101", "functions.user-authentication.rto", "scenarios.database-corruption.phases.3.window"),
    ("HF102", "objectives.data_loss_tolerance", "components.data-storage.rpo"),
    ("HF103", "objectives.availability_percent", "scenarios.database-corruption.phases.3.window"),
    ("HF106", "objectives.rto", "scenarios.database-corruption.phases.3.window"),
    ("HF117", "document.next_review", ""),
    ("HF128", "scenarios.security-breach", "exercises.full-dr-drill"),
    ("HF144", "objectives.data_loss_tolerance", "functions.hotel-pms-integration.rpo"),
    ("HF148", "criteria.team-response.target", "escalation.P1.answer_within"),
    ("HF149", "indicators.mean-time-to-recovery.target", "scenarios.security-breach.phases.2.window"),
    ("HF152", "messages.partner-notification.due", "functions.hotel-pms-integration.rto"),
)
SILENCES = {
    "HF104": "no fence before the promotion",
    "HF108": "nobody approves",
    "HF110": "no way back of two scenarios, and one in words",
    "HF111": "no second way for the cache",
    "HF118": "no cadence of any backup",
    "HF123": "posts without people",
    "HF125": "nobody behind the names of audiences, and no telephone of anybody",
    "HF135": "no approval with a day",
    "HF145": "no component below any function",
    "HF154": "no regulation for a critical regulatory risk",
}


@pytest.mark.shared
def test_what_the_document_contradicts_itself_in_is_said_with_both_places(found: list[dict[str, Any]]) -> None:
    said = [(one["code"], {".".join(map(str, place["path"])) for place in one["places"]}) for one in found]
    for code, promise, other in CONTRADICTIONS:
        assert any(code == known and {promise, other} - {""} <= places for known, places in said), (code, promise, other)


@pytest.mark.shared
def test_what_the_document_is_silent_about_is_said(found: list[dict[str, Any]]) -> None:
    codes = {one["code"] for one in found}
    assert {code: why for code, why in SILENCES.items() if code not in codes} == {}


@pytest.mark.shared
def test_nothing_is_said_of_what_the_document_never_says(found: list[dict[str, Any]]) -> None:
    """It names no time for an approval, so none of its own is late; Holdfast's default is no promise of the company's."""
    assert "HF109" not in {one["code"] for one in found}
    assert not any(one["path"] == ["approval", "activation", "answer_within"] for finding in found for one in finding["places"])
