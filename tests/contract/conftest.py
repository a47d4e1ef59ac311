"""The suites are written once, outside test modules: their asserts are to explain themselves all the same."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite(*(f"contract.{path.stem}" for path in sorted(Path(__file__).parent.glob("*suite.py"))))
