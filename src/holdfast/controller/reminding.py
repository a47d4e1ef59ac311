"""Saying to a load balancer once more what it was ordered, when it was started anew and stands as its configuration says.

Only what the journal holds as the region's last word and as obeyed is said again (`decision.admission`), under the very order that it
carried: an effector that has heard of a later one refuses. Durable before it is said; nothing while automatic action is paused.
Never here: deciding who serves. A load balancer that doesn't answer has forgotten nothing, as far as anybody knows.
"""

import asyncio
from collections.abc import Mapping

from holdfast.conduct.situation import Write
from holdfast.controller.chronicle import Chronicle
from holdfast.controller.room import JournalRoom
from holdfast.decision.admission import Admission
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.ports.action import Answer, Mode, Outcome, Result, Task
from holdfast.ports.clock import Clock
from holdfast.ports.forgetful import Forgetful
from holdfast.ports.journal_store import JournalFull

EVERY_SECONDS = 1.0
ACT_SECONDS = 10.0


def _task(word: Admission) -> Task:
    said = word.intent
    return Task(
        step=said["step"],
        block=said["block"],
        component=said["component"],
        source=said["source"],
        target=said["target"],
        mode=Mode(said["mode"]),
        order=Order.from_list(list(said["order"])),
        parameters=said["parameters"],
        incident=word.incident,
        run=said["run"],
    )


class Reminding:
    """One region's load balancer. `effectors`: block → who carries it out."""

    def __init__(self, region: str, effectors: Mapping[str, Forgetful], chronicle: Chronicle, clock: Clock, room: JournalRoom) -> None:
        self._region = region
        self._effectors = effectors
        self._chronicle = chronicle
        self._clock = clock
        self._room = room
        self._said: tuple[Task, Result] | None = None
        """What was said again last and what came of it: the same again is tried, and not recorded every second."""

    async def run(self) -> None:
        """Look again and again until cancelled. Raises JournalConflict; a full disk is waited out, and nothing is said meanwhile."""
        while True:
            try:
                await self.look()
            except JournalFull as full:
                self._room.lacks(full)
            await self._clock.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Ask once, and say it once more if it was forgotten."""
        word = self._word()
        effector = None if word is None else self._effectors.get(word.intent["block"])
        if word is None or effector is None:
            return
        task = _task(word)
        seen = await effector.recalls(task)
        if seen.answer is not Answer.NO:
            if seen.answer is Answer.YES:
                self._said = None
            return
        if self._word() != word:
            return  # It was told something else while it was asked.
        if self._said is None or self._said[0] != task:
            self._record(Kind.ORDER_FORGOTTEN, word, {"reason": seen.detail})
        outcome = await self._acted(effector, task)
        if self._said != (task, outcome.result):
            await self._record_patiently(Kind.ORDER_REPEATED, word, {"outcome": outcome.result.value, "detail": outcome.detail})
        self._said = (task, outcome.result)

    def _word(self) -> Admission | None:
        """What stands for this region now."""
        known = self._chronicle.installation
        word = known.admissions.get(self._region)
        if word is None or known.paused is not None or not word.stands(known.serving, (known.era, known.epoch)):
            return None
        return word

    async def _acted(self, effector: Forgetful, task: Task) -> Outcome:
        try:
            async with asyncio.timeout(ACT_SECONDS):
                return await effector.act(task)
        except TimeoutError:
            return Outcome(Result.UNKNOWN, f"no answer within {ACT_SECONDS:g} s: it may or may not have happened")
        except OSError as error:
            return Outcome(Result.UNKNOWN, f"the connection was lost: {error}: it may or may not have happened")

    async def _record_patiently(self, kind: Kind, word: Admission, more: Mapping[str, str]) -> None:
        """What came of an order is recorded as soon as the disk takes it."""
        while True:
            try:
                self._record(kind, word, more)
                return
            except JournalFull as full:
                self._room.lacks(full)
                await self._clock.sleep(EVERY_SECONDS)

    def _record(self, kind: Kind, word: Admission, more: Mapping[str, str]) -> None:
        opened = self._chronicle.installation.open_incident()
        incident = word.incident if opened is not None and opened.incident == word.incident else ""
        about = {name: word.intent[name] for name in ("run", "step", "block", "order")}
        self._chronicle.append([Write(kind, incident, {"region": self._region, "of": word.incident, **about, **more})])
