"""Killed between sending and recording, on every channel: after the restart somebody was told, once where the channel drops a repeat."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import holdfast
from contract.channels_rig import FILES, NETWORK, Far, FarChannel, to
from holdfast.ports.notifier import Repeats

KILLED = -9
TESTS = Path(__file__).parents[1]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    yield made
    made.close()


def run_sender(far: Far, kind: str, point: str) -> int:
    source = Path(str(holdfast.__file__)).parents[1]
    command = [sys.executable, "-m", "contract.killed_sender", kind, str(far.directory / "journal"), point, json.dumps(far.settings())]
    paths = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{source}"}
    return subprocess.run(command, env=paths, timeout=60, check=False).returncode


@pytest.mark.parametrize("kind", [*NETWORK, *FILES])
def test_killed_before_recording_nobody_is_alerted_twice_or_the_second_says_that_it_may_be_one(far: Far, kind: str) -> None:
    assert run_sender(far, kind, "before-recording") == KILLED
    channel = FarChannel(far, kind)
    shown = channel.shown(to(kind))
    assert channel.arrived() == [shown], "it was handed over before the process died"
    assert [run_sender(far, kind, "nowhere") for _ in range(2)] == [0, 0]
    if channel.notifier.repeats is Repeats.POSSIBLE:
        assert channel.arrived() == [shown, shown] and channel.says_again() == [False, True]
    elif kind == "pagerduty":
        assert [row["alert"] for row in far.rows(kind)] == ["opened", "joined"]
    else:
        assert channel.arrived() == [shown]
        assert [row.get("repeat") for row in far.rows("webhook")] == ([False, True] if kind == "webhook" else [])


@pytest.mark.parametrize("kind", [*NETWORK, *FILES])
def test_killed_before_sending_somebody_is_told_after_the_restart(far: Far, kind: str) -> None:
    assert run_sender(far, kind, "before-sending") == KILLED
    channel = FarChannel(far, kind)
    assert channel.arrived() == []
    assert run_sender(far, kind, "nowhere") == 0
    assert channel.arrived() == [channel.shown(replace(to(kind)))]
