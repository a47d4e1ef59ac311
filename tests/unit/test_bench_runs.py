"""The bench still runs: `make test` measures nothing, so a change of the plan's types would otherwise break it unnoticed."""

import subprocess
import sys
from pathlib import Path

import pytest

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
