"""The controller is killed when a far end has taken a message and nothing is recorded yet: what arrives then over every kind of channel,
and what the report says of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast
from contract.channels_rig import FILES, NETWORK, Far, FarChannel
from contract.killed_controller import RULE, plan_with
from holdfast.journal.kinds import Kind
from holdfast.ports.notifier import Repeats
from holdfast.providers.sqlite.journal import JournalReader
from holdfast.report.history import History
from holdfast.report.telling import Span, notifications
from holdfast.report.told import NotificationResult

KILLED = -9
TESTS = Path(__file__).parents[1]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


def run_controller(far: Far, kind: str, point: str) -> int:
    source = Path(str(holdfast.__file__)).parents[1]
    command = [sys.executable, "-m", "contract.killed_controller", kind, str(far.directory), point, json.dumps(far.settings())]
    paths = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{source}"}
    return subprocess.run(command, env=paths, timeout=120, check=False).returncode


def reported(far: Far) -> NotificationResult:
    """The one row of the report."""
    records = tuple(JournalReader(far.directory / "journal.db").read())
    incident = next(record.incident for record in records if record.kind == Kind.INCIDENT_OPENED)
    (row,) = notifications(History(incident, records), plan_with("any"), Span(records[0].at_seconds, time.time()))
    return row


@pytest.mark.parametrize("kind", [*NETWORK, *FILES])
def test_nobody_is_alerted_twice_for_one_cause_or_the_message_and_the_report_say_that_it_may_be(far: Far, kind: str) -> None:
    assert run_controller(far, kind, "between") == KILLED
    channel = FarChannel(far, kind)
    assert len(channel.arrived()) == 1, "the far end had taken it"
    assert run_controller(far, kind, "nowhere") == 0
    assert run_controller(far, kind, "nowhere") == 0, "one that comes later finds it recorded and sends nothing"
    row = reported(far)
    assert (row.rule, row.sent_seconds is not None) == (RULE, True)
    if channel.notifier.repeats is Repeats.POSSIBLE:
        assert channel.says_again() == [False, True]
        assert row.may_be_twice
    elif kind == "pagerduty":
        assert [one["alert"] for one in far.rows(kind)] == ["opened", "joined"]
        assert not row.may_be_twice
    else:
        assert len(channel.arrived()) == 1
        assert not row.may_be_twice
