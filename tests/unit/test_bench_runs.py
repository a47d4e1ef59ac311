"""The bench still runs: `make test` measures nothing, so a change of the plan's types would otherwise break it unnoticed."""

import subprocess
import sys
from pathlib import Path

import pytest
from bench.demos import LIMIT_SECONDS, Demo, line

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem != "__main__")


def _python(*arguments: str) -> str:
    ended = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("module", MODULES)
def test_each_module_of_the_bench_can_be_imported(module: str) -> None:
    _python("-c", f"import bench.{module}")


def test_a_failover_of_fifty_functions_still_comes_close_to_the_lower_bound() -> None:
    rows = _python("-m", "bench.makespan", "--quick").splitlines()
    assert [row.split()[0] for row in rows[1:3]] == ["5", "50"]
    assert "only gaps between steps" in rows[-1]


def test_plans_of_the_bench_load_and_are_forecast() -> None:
    rows = _python("-m", "bench.forecast_size", "50").splitlines()
    assert len(rows) == 4


REPORT = {
    "verdict": "pass",
    "reasons": ["every rule was kept"],
    "outage_seconds": 5.0,
    "failback": {"outage_seconds": 3.0},
    "functions": [{"lost_acknowledged_writes": 0}],
}


def test_a_demo_that_takes_four_minutes_is_not_passed_and_its_line_says_so() -> None:
    quick, slow = Demo(1, 0, LIMIT_SECONDS - 1, REPORT), Demo(2, 0, LIMIT_SECONDS, REPORT)
    assert (quick.passed, slow.passed) == (True, False)
    assert line(quick).endswith("took 239 s")
    assert line(slow).endswith("took 240 s  not passed: over the limit of 240 s")


def test_a_demo_that_did_not_pass_for_another_reason_says_that_one() -> None:
    failed = Demo(3, 1, 80.0, {**REPORT, "verdict": "fail", "reasons": ["voice was away for too long"]})
    assert (failed.passed, line(failed).endswith("took 80 s  voice was away for too long")) == (False, True)
    assert line(Demo(4, 1, 80.0, REPORT)).endswith("not passed: exit 1")
    assert line(Demo(5, 2, 300.0, None)) == "demo  5  no report, exit 2, after 300 s  not passed: over the limit of 240 s"
