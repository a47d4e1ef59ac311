"""Before the cut: what isn't well yet is said while it lasts, and a person who ends a drill is told what becomes of it."""

from pathlib import Path
from typing import Any

import pytest

from holdfast.console.narration import Line
from holdfast.drill import drilling
from holdfast.drill.settings import DrillSettings
from holdfast.drill.warming import Warming, lacking
from unit.conduct_on_paper import LOADED, PLAN_FILE

WELL: dict[str, Any] = {
    "incident": None,
    "watching": {"functions": {"voice": "up"}, "scores": {"eu-west-1": 100.0, "eu-central-1": 100.0}},
    "loss": {"bound_seconds": 0.4},
}
FENCED = {**WELL, "watching": {"functions": {"voice": "down"}, "scores": {"eu-west-1": 40.0, "eu-central-1": None}}}
OPEN = {**WELL, "incident": {"incident": "inc-1-1", "state": "awaiting-approval", "reason": "no observer hears eu-west-1"}}


def warming() -> Warming:
    return Warming(needed_seconds=4.0, lease_seconds=3.0, cores=2, begun_seconds=100.0)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (WELL, None),
        ({}, "no observer has said anything"),
        (FENCED, "voice is down, eu-west-1 scores 40 of 100, eu-central-1 scores nothing yet"),
        (OPEN, "inc-1-1 is awaiting approval, and nothing was cut yet: no observer hears eu-west-1"),
        ({**WELL, "incident": {**OPEN["incident"], "state": "stood-down"}}, None),  # a false alarm that is over keeps nobody from the cut
        ({**WELL, "loss": {"bound_seconds": None}}, "can't be bounded yet"),
    ],
)
def test_what_is_not_well_is_named(state: dict[str, Any], said: str | None) -> None:
    assert (lacking(state) is None) if said is None else said in str(lacking(state))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (FENCED, None),
        (OPEN, "inc-1-1 is awaiting approval"),
        ({**FENCED, "loss": {"bound_seconds": None}}, "can't be bounded yet"),
    ],
)
def test_a_drill_of_what_is_lost_needs_no_more_than_a_bound(state: dict[str, Any], said: str | None) -> None:
    assert (lacking(state, "bounded") is None) if said is None else said in str(lacking(state, "bounded"))


def test_it_is_done_when_all_was_well_for_long_enough_without_a_break() -> None:
    warm = warming()
    for now, state in ((101.0, WELL), (104.0, FENCED), (105.0, WELL), (108.9, WELL)):
        assert warm.look(state, now, 0.1) is None
        assert not warm.done(now)
    warm.look(WELL, 109.0, 0.1)
    assert warm.done(109.0)


def test_a_busy_machine_is_called_busy_and_not_more_often_than_every_ten_seconds() -> None:
    warm = warming()
    said = [warm.look(FENCED, 100.0 + second, 9.3) for second in range(31)]
    assert [second for second, text in enumerate(said) if text] == [10, 20, 30]
    assert "warming up for 10 s; the cut waits until all has been well for 4 s: voice is down" in str(said[10])
    assert "(9.3 processes want 2 cores), and a lease of 3 s may be too short for it" in str(said[10])
    assert "busy" not in str(warm.look(FENCED, 140.0, 0.5))


def test_who_ends_a_drill_is_told_that_it_stops_and_where_its_evidence_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Lab:
        stopped = False

        def bindings(self, _: str) -> None: ...

        def sites(self) -> tuple[str, ...]:
            raise KeyboardInterrupt

        def down(self) -> None:
            said.append("(the lab is ended)")

    said: list[str] = []

    def say(line: Line) -> None:
        said.append(line.text)

    monkeypatch.setattr(drilling, "start_lab", lambda *_, **__: Lab())
    with pytest.raises(KeyboardInterrupt):
        drilling.run_drill(DrillSettings(PLAN_FILE, "regional-outage", tmp_path), LOADED, say)
    assert said[-3].startswith("stopping: ")
    assert said[-2] == "(the lab is ended)"
    assert said[-1] == f"stopped: nothing of it runs any more; what it wrote so far is in {tmp_path / 'lab'}"
