"""The bench of losses says what was compared, and never takes what was not for a bound that held."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench import losses
from bench.losses import (
    KEPT,
    MOST_LAG_SECONDS,
    Compared,
    Settings,
    earlier,
    exit_code,
    lag_of,
    line,
    lost_synchronously,
    told,
    written_since,
)

from holdfast.plan.loader import load

PLAN = Path(__file__).parents[2] / "examples" / "voicehive" / "plan.yaml"
WITHIN = Compared(1, 0.4, "within", 5.2, 518.0, 3.64, {"cache": 12, "database": 19, "storage": 9}, 2052, 39.0)
ABOVE = Compared(2, 1.5, "above", 5.2, 518.0, 5.3, {"database": 80}, 2100, 41.0)
UNKNOWN = Compared(3, 1.5, "unknown", 5.2, 518.0, None, {}, 0, 41.0, "the bound or the loss is not known")
DISTURBED = Compared(4, 1.5, "disturbed", took_seconds=90.0, why="the lab did not come up\nwith a long story")


def settings(place: Path, times: int = 1, replication: Any = "asynchronous") -> Settings:
    return Settings(times, replication, "fast", load(PLAN), place)


def test_a_seed_gives_the_same_lag_again_and_seeds_differ() -> None:
    lags = [lag_of(seed) for seed in range(1, 51)]
    assert lags == [lag_of(seed) for seed in range(1, 51)]
    assert len(set(lags)) > 40
    assert 0.0 <= min(lags) < 0.3
    assert MOST_LAG_SECONDS - 0.3 < max(lags) <= MOST_LAG_SECONDS


def test_a_drill_is_told_with_its_seed_lag_bound_loss_and_verdict() -> None:
    assert line(7, WITHIN) == (
        "  7  seed    1  lag 0.40 s  bound  5.20 s, about  518 writes  true  3.64 s,   40 writes  within   70 %  "
        "(cache 12, database 19, storage 9; 39 s)"
    )
    assert "unknown" in line(1, UNKNOWN)
    assert line(2, DISTURBED) == "  2  seed    4  disturbed after 90 s: the lab did not come up"


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([WITHIN], 0),
        ([WITHIN, ABOVE], 1),
        ([], 3),
        ([UNKNOWN], 3),
        ([DISTURBED], 3),
        ([DISTURBED, UNKNOWN, WITHIN], 0),
    ],
)
def test_what_was_not_compared_is_never_a_bound_that_held(found: list[Compared], code: int, tmp_path: Path) -> None:
    assert exit_code(found, settings(tmp_path)) == code


def test_synchronously_writes_are_looked_for_from_before_the_copies_were_cut_since_none_is_acknowledged_after_that() -> None:
    assert written_since(100.0, 2.5, "synchronous") == 96.5
    assert written_since(100.0, 2.5, "asynchronous") == 97.5
    assert written_since(100.0, 0.2, "asynchronous") == 99.0


def test_synchronously_a_lost_row_or_key_is_a_failure_and_an_object_is_not(tmp_path: Path) -> None:
    wanted = settings(tmp_path, replication="synchronous")
    objects = Compared(1, 0.4, "within", 5.2, 518.0, 3.64, {"storage": 9}, 2052)
    doubtful = Compared(2, 0.4, "unknown", None, None, None, {"cache": 1})
    assert lost_synchronously([objects, WITHIN], wanted.loaded) == 31
    assert exit_code([objects], wanted) == 0
    assert exit_code([WITHIN], wanted) == 1
    assert exit_code([objects, doubtful], wanted) == 1
    assert told([objects], wanted).splitlines()[-2:] == [
        "acknowledged rows and keys lost, of which none may be: 0",
        "objects lost, which no bucket copies before it acknowledges: 9",
    ]


def test_the_summary_counts_the_disturbed_and_the_unknown_by_themselves(tmp_path: Path) -> None:
    said = told([WITHIN, ABOVE, UNKNOWN, DISTURBED], settings(tmp_path, times=4))
    assert "2 of 4 compared: the true loss was above the bound in 1; 1 unknown, 1 disturbed" in said
    assert "true loss / bound        0.70     0.86     1.02" in said
    assert "4,152 acknowledged writes looked for" in said


def test_drills_go_on_where_they_were_stopped_and_another_seed_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts = {1: DISTURBED, 2: WITHIN, 3: WITHIN}
    asked: list[int] = []

    def drill(seed: int, _: Settings, __: Path) -> Compared:
        asked.append(seed)
        return Compared(**{**json.loads(json.dumps(verdicts[seed].__dict__)), "seed": seed})

    monkeypatch.setattr(losses, "compared", drill)
    wanted = settings(tmp_path, times=2)
    losses.run(settings(tmp_path, times=1), 1, [])
    assert asked == [1, 2]
    assert [one.seed for one in earlier(wanted)] == [1, 2]
    found = earlier(wanted)
    losses.run(wanted, 1, found)
    assert asked == [1, 2, 3]
    assert [(one.seed, one.verdict) for one in found] == [(1, "disturbed"), (2, "within"), (3, "within")]
    assert (tmp_path / "seed-0003" / KEPT).exists()


def test_no_more_than_twice_as_many_drills_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def drill(seed: int, _: Settings, __: Path) -> Compared:
        asked.append(seed)
        return Compared(seed, 1.0, "disturbed", why="no lab")

    monkeypatch.setattr(losses, "compared", drill)
    losses.run(settings(tmp_path, times=3), 10, [])
    assert asked == list(range(10, 16))
