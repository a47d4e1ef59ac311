"""What `holdfast drill run` makes of its options: the plan's own word where none is given, and an end for what takes too long."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from holdfast.cli.main import run
from holdfast.drill import drilling
from holdfast.drill.drilling import RunningDrill
from holdfast.drill.parts import PartFailed
from holdfast.drill.settings import DrillSettings
from holdfast.lab.ground import LabProblem
from holdfast.plan.loader import LoadedPlan
from unit.conduct_on_paper import LOADED, PLAN_FILE


def asked(monkeypatch: pytest.MonkeyPatch, *options: str) -> DrillSettings:
    """The settings that the command would have run a drill with."""
    found: list[DrillSettings] = []

    def no_lab(settings: DrillSettings, loaded: LoadedPlan, say: Any) -> Any:
        found.append(settings)
        raise LabProblem("there is no lab here")

    monkeypatch.setattr(drilling, "run_drill", no_lab)
    assert run(["drill", "run", "regional-outage", *options, "-o", "json"]) == 2
    return found[0]


def test_a_drill_replicates_as_the_plan_says_unless_it_is_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PLAN_FILE.read_text(encoding="utf-8")
    assert "\nreplication: asynchronous" in text
    careful = tmp_path / "plan.yaml"
    careful.write_text(text.replace("\nreplication: asynchronous", "\nreplication: synchronous"), encoding="utf-8")
    own = ["--directory", str(tmp_path / "drill"), "--plan"]
    assert asked(monkeypatch, *own, str(careful)).replication == "synchronous"
    assert asked(monkeypatch, *own, str(PLAN_FILE)).replication == "asynchronous"
    assert asked(monkeypatch, *own, str(careful), "--replication", "asynchronous").replication == "asynchronous"


def test_a_length_that_is_none_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(monkeypatch, "--directory", str(tmp_path), "--plan", str(PLAN_FILE), "--within", "4m").within_seconds == 240.0
    capsys.readouterr()
    assert run(["drill", "run", "--within", "soon", "--directory", str(tmp_path), "--plan", str(PLAN_FILE), "-o", "json"]) == 2
    assert "--within" in json.loads(capsys.readouterr().out)["error"]


def test_whatever_a_drill_waits_for_it_ends_when_its_whole_time_is_over(tmp_path: Path) -> None:
    settings = DrillSettings(PLAN_FILE, "regional-outage", tmp_path, within_seconds=240.0)
    lab = cast(Any, SimpleNamespace(directory=tmp_path))
    drill = RunningDrill(settings, LOADED, lambda _: None, drilling.nothing, lab, ends_seconds=time.monotonic())
    drill.look = lambda: None  # type: ignore[method-assign]  # nothing of it runs
    with pytest.raises(PartFailed, match="the drill was over its 240 s in all: the region is home again"):
        drill.until("the region is home again", lambda: False, 180.0)
