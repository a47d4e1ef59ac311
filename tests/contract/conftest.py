"""The suites are written once, outside test modules: their asserts are to explain themselves all the same. Nothing stays behind."""

from pathlib import Path

import pytest

from lab.traces import keep_apart, nothing_stays_behind

__all__ = ("nothing_stays_behind",)

keep_apart()

pytest.register_assert_rewrite(*(f"contract.{path.stem}" for path in sorted(Path(__file__).parent.glob("*suite.py"))))
