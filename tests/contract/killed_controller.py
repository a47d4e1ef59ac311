"""A controller of its own process that owes one message over one kind of channel, and may be killed at the worst moment.

    python -m contract.killed_controller KIND DIRECTORY POINT SETTINGS

POINT is `nowhere`, or `between`: kill -9 of itself when the far end has answered and nothing is recorded yet. Everything but the channel's
fault is the production controller: its journal is in DIRECTORY, and it ends when the hand-over is recorded as sent.
"""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from contract.channels_rig import ADDRESSES, notifier
from holdfast.conduct.situation import Command
from holdfast.controller.channels import ExerciseGuard, Mailbox
from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.keeper import Keeper
from holdfast.controller.loop import Controller
from holdfast.controller.settings import Settings
from holdfast.controller.watch import Watch
from holdfast.fencing.promise import Epoch, Timing
from holdfast.journal.kinds import Kind
from holdfast.plan.messages import Message
from holdfast.plan.model import Plan
from holdfast.ports.notifier import Notification, Notifier, Repeats
from holdfast.providers.clock.system import SystemClock
from holdfast.providers.http.post import HttpPost
from holdfast.providers.sqlite.journal import SqliteJournal
from holdfast.providers.sqlite.promises import SqlitePromises
from unit.conduct_on_paper import DR, LOADED, PRIMARY

RULE = "told"
BOUND_SECONDS = 60.0
CHANNELS = {"smtp": "email", "voice": "phone"}
"""Kinds of ways by which the plan calls another channel."""


class Mortal:
    """The channel, but for the moment at which the whole controller is killed."""

    def __init__(self, real: Notifier) -> None:
        self._real = real

    @property
    def repeats(self) -> Repeats:
        return self._real.repeats

    async def send(self, notification: Notification) -> str:
        await self._real.send(notification)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it was killed")


def plan_with(channel: str) -> Plan:
    """The reference plan, that owes nothing but one message to one person over one channel."""
    said = {"subject": "{severity}: {incident}", "body": "{state}"}
    told = Message.model_validate({"audience": ["technical-lead"], "channels": [channel], "due": "30s", **said})
    nothing: dict[str, Any] = {"escalation": {}, "vendors": {}, "regulations": {}, "zone_notice": None}
    return LOADED.plan.model_copy(update={**nothing, "messages": {RULE: told}})


def controller_over(kind: str, directory: Path, point: str, settings: dict[str, str], post: HttpPost) -> Controller:
    """As `app_controller` wires one, without a region to watch or to act on."""
    channel, clock = CHANNELS.get(kind, kind), KeptClock(SystemClock())
    plan = plan_with(channel)
    profile = plan.profiles["fast"]
    journal = SqliteJournal(directory / "journal.db")
    keeper = Keeper(SqlitePromises(journal.database), clock, Timing(profile.drift, profile.margin), 3.0, (PRIMARY, DR))
    for region in keeper.unheard:
        keeper.hear(region, Epoch(0, 1), PRIMARY, None)
    far: Notifier = Mailbox(notifier(kind, settings, post), ADDRESSES[kind]) if kind in ADDRESSES else notifier(kind, settings, post)
    guarded = ExerciseGuard(far, far, public=kind in ("webhook", "status-page", "in-app"))
    wanted = Settings(plan, LOADED.digest, "regional-outage", "fast", "lab", "0", "exercise-7")
    channels = {channel: Mortal(guarded) if point == "between" else guarded}
    controller = Controller(wanted, journal, clock, Watch(plan, profile, "regional-outage", [], clock), {}, channels, keeper)
    controller.begin_term((0, 1, PRIMARY))
    return controller


async def main(kind: str, directory: Path, point: str, settings: dict[str, str]) -> None:
    post = HttpPost(5.0)
    controller = controller_over(kind, directory, point, settings, post)
    if controller.chronicle.installation.open_incident() is None:
        controller.submit(Command("declare", "declare", "aoife-brennan"))
    running = asyncio.create_task(controller.run())
    ends = time.monotonic() + BOUND_SECONDS
    while not running.done() and time.monotonic() < ends:
        incident = controller.chronicle.installation.open_incident()
        if incident is not None and any(record.kind == Kind.NOTIFICATION_SENT for record in incident.records):
            running.cancel()
        await asyncio.sleep(0.02)
    told = running.cancelling() > 0
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await post.close()
    assert told, f"not told within {BOUND_SECONDS:g} s"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])))
