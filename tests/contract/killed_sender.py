"""A sender of its own process: intent, hand-over through the outbox, outcome, as the controller does it; and killed at a point in between.

`python -m contract.killed_sender KIND JOURNAL POINT SETTINGS`: POINT is `nowhere`, `before-sending` or `before-recording`. JOURNAL holds a
word a line, `intended` or `recorded`; an intent that has no record behind it may have been handed over.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from contract.channels_rig import notifier, to
from holdfast.controller.outbox import Outbox
from holdfast.ports.notifier import Purpose
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.post import HttpPost


def _keep(journal: Path, word: str) -> None:
    with journal.open("a", encoding="utf-8") as file:
        file.write(word + "\n")
        file.flush()
        os.fsync(file.fileno())


def _dies_here(point: str, here: str) -> None:
    if point == here:
        os.kill(os.getpid(), signal.SIGKILL)


async def main(kind: str, journal: Path, point: str, settings: dict[str, str]) -> None:
    words = journal.read_text(encoding="utf-8").split() if journal.exists() else []
    if words and words[-1] == "recorded":
        return
    message = replace(to(kind), channel=kind, purpose=Purpose.ALERT, again=bool(words))
    _keep(journal, "intended")
    _dies_here(point, "before-sending")
    async with Outbox({kind: notifier(kind, settings, HttpPost(5.0))}, SystemClock()) as outbox:
        outbox.put(message, 0)
        async for batch in outbox.outcomes():
            _dies_here(point, "before-recording")
            for outcome in batch:
                assert outcome.reference is not None, outcome.reason
                _keep(journal, "recorded")


asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])))
