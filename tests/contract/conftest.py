"""The suites are written once, outside test modules: their asserts are to explain themselves all the same."""

import pytest

pytest.register_assert_rewrite(
    "contract.action_suite", "contract.clock_suite", "contract.journal_suite", "contract.notifier_suite", "contract.probe_suite"
)
