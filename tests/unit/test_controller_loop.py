"""The controller's loop when something under it fails: a full disk, a provider's fault, a channel's fault."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from holdfast.conduct.situation import Command
from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.keeper import Keeper
from holdfast.controller.loop import PASS_SECONDS, Controller
from holdfast.controller.settings import Settings
from holdfast.controller.watch import Watch
from holdfast.fencing.promise import Ask, Epoch, Timing
from holdfast.journal.kinds import Kind
from holdfast.ports.action import Outcome, Result
from holdfast.ports.clock import Clock
from holdfast.ports.journal_store import JournalFull
from holdfast.ports.notifier import Notifier, Repeats
from holdfast.ports.protection import ModeWish, Protector
from holdfast.simulation.clock import VirtualClock, run_virtual
from holdfast.simulation.journal import MemoryDisk, MemoryJournal, MemoryPromises
from unit.conduct_on_paper import DR, LOADED, PRIMARY
from unit.test_watch import Moment

ONE, TWO = "exercise-one", "exercise-two"


class Promises(MemoryPromises):
    """Their disk can be full."""

    full = False

    def put_all(self, values: Any) -> None:
        if self.full:
            raise JournalFull("no room for a promise")
        super().put_all(values)


class Rig:
    """A controller over nothing but its journal, in the middle of an exercise that two people approved."""

    def __init__(
        self,
        channels: Mapping[str, Notifier] | None = None,
        protector: Protector | None = None,
        clock: Clock | None = None,
        disk: MemoryDisk | None = None,
    ) -> None:
        plan, clock, disk = LOADED.plan, clock or Moment(), disk or MemoryDisk()
        self.disk = disk
        profile = plan.profiles["fast"]
        self.promises = Promises(disk)
        self.keeper = Keeper(self.promises, clock, Timing(profile.drift, profile.margin), 3.0, (PRIMARY, DR))
        for region in (PRIMARY, DR):
            self.keeper.hear(region, Epoch(0, 1), PRIMARY, None)
        kept = KeptClock(clock)
        watch = Watch(plan, profile, "regional-outage", [], kept)
        settings = Settings(plan, LOADED.digest, "regional-outage", "fast", "lab", "0", "exercise-7", replication="synchronous")
        self.journal = MemoryJournal(disk)
        self.controller = Controller(settings, self.journal, kept, watch, {}, channels or {}, self.keeper, protector=protector)
        self.controller.begin_term((0, 1, PRIMARY))

    def approved(self) -> None:
        """Declared by one, approved by two; nothing is decided before the next pass."""
        self.say("declare", "aoife-brennan")
        self.controller._pass()
        for person in (ONE, TWO):
            incident = self.controller.chronicle.installation.open_incident()
            assert incident is not None and incident.proposal is not None
            assert self.say("approve", person, hash=incident.proposal.hash, accepts_loss=True).startswith("accepted")

    def say(self, verb: str, by: str, **arguments: Any) -> str:
        return self.controller.submit(Command(f"{verb}-{by}", verb, by, arguments))

    def outcomes(self, kind: Kind) -> list[Any]:
        return [record.body for record in self.journal.read() if record.kind == kind]


def played(story: Coroutine[Any, Any, None]) -> None:
    """In virtual time: what is waited for costs none, and what takes too long is told at once."""
    run_virtual(lambda: asyncio.wait_for(story, 10))


def test_a_promise_that_could_not_be_kept_in_line_is_before_anything_else_is_done() -> None:
    async def story() -> None:
        rig = Rig()
        rig.approved()
        rig.promises.full = True
        with pytest.raises(JournalFull):
            rig.controller._pass()
        with pytest.raises(JournalFull):
            rig.controller._pass()
        assert rig.outcomes(Kind.EPOCH_OPENED)
        assert "fence" not in [body["block"] for body in rig.outcomes(Kind.STEP_INTENDED)]
        rig.promises.full = False
        rig.controller._pass()
        assert not rig.keeper.ask(Ask(PRIMARY, Epoch(0, 1), "one", 3.0)).yes, "the epoch is being opened: no promise any more"

    played(story())


def test_a_block_that_nobody_can_carry_out_has_an_outcome_all_the_same() -> None:
    async def story() -> None:
        rig = Rig()
        rig.approved()
        rig.controller._pass()
        await asyncio.sleep(0.05)
        fence = [body for body in rig.outcomes(Kind.STEP_FINISHED) if body["block"] == "fence"]
        assert [body["outcome"] for body in fence] == ["unknown"]

    played(story())


def test_a_step_whose_outcome_cannot_be_recorded_ends_the_controller_and_is_not_forgotten() -> None:
    async def story() -> None:
        rig = Rig()
        rig.approved()
        rig.controller._pass()

        def broken(writes: Any) -> None:
            raise ValueError("what can't stand in a journal")

        rig.controller.chronicle.append = broken  # type: ignore[method-assign]  # a fault that nobody thought of
        await asyncio.sleep(0.05)
        with pytest.raises(ValueError, match="stand in a journal"):
            await rig.controller.run()

    played(story())


def test_a_channel_that_fails_in_its_own_way_is_a_failed_delivery() -> None:
    class Channel:
        repeats = Repeats.POSSIBLE

        async def send(self, notification: Any) -> str:
            raise RuntimeError("the adapter has a fault")

    async def story() -> None:
        rig = Rig({name: Channel() for name in LOADED.plan.channels()})
        rig.approved()
        rig.controller._pass()
        await asyncio.sleep(0.05)
        assert {body["reason"] for body in rig.outcomes(Kind.NOTIFICATION_FAILED)} == {"RuntimeError: the adapter has a fault"}

    played(story())


def test_a_full_disk_is_said_once_and_how_long_it_lasted_is_recorded() -> None:
    async def story() -> None:
        rig = Rig()
        said: list[str] = []
        rig.controller.room.told = said.append
        rig.approved()
        rig.promises.full = True
        running = asyncio.create_task(rig.controller.run())
        for _ in range(60):
            await asyncio.sleep(0)
            rig.controller._wake.set()
        assert said == ["no room for a promise"]
        assert rig.controller.room.as_facts() is not None
        assert not rig.outcomes(Kind.JOURNAL_WAITED)
        rig.promises.full = False
        while not rig.outcomes(Kind.JOURNAL_WAITED):
            await asyncio.sleep(0)
        assert rig.outcomes(Kind.JOURNAL_WAITED)[0]["reason"] == "no room for a promise"
        assert rig.controller.room.as_facts() is None
        assert len(said) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    played(story())


class Broken:
    """A protector with a fault of its own."""

    async def set_mode(self, wish: ModeWish) -> Outcome:
        raise RuntimeError(f"a fault in {wish.region}")


def test_a_protector_with_a_fault_of_its_own_leaves_an_unknown_outcome_and_the_controller_goes_on() -> None:
    async def story() -> None:
        rig = Rig(protector=Broken())
        assert rig.say("unprotect", ONE, component="cache", reason="its standby is gone").startswith("accepted")
        rig.controller._pass()
        await asyncio.sleep(0.05)
        (ordered,), (ended,) = rig.outcomes(Kind.PROTECTION_ORDERED), rig.outcomes(Kind.PROTECTION_CHANGED)
        assert (ended["ask"], ended["outcome"]) == (ordered["ask"], "unknown")
        assert "a fault in eu-west-1" in ended["detail"]
        rig.controller._pass()
        assert rig.controller.situation().beside == frozenset()

    played(story())


class Waiting:
    """A protector that answers one order when it is told to, and no other one."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()

    async def set_mode(self, wish: ModeWish) -> Outcome:
        await self.answers.wait()
        self.answers.clear()
        return Outcome(Result.SUCCEEDED, "done")


class AtRest:
    """A controller between two passes: what was ordered of protection is under way, and nothing else is to do."""

    def __init__(self) -> None:
        self.protector = Waiting()
        self.rig = Rig(protector=self.protector, clock=VirtualClock())

    async def begin(self) -> asyncio.Task[None]:
        assert self.rig.say("unprotect", ONE, component="cache", reason="its standby is gone").startswith("accepted")
        running = asyncio.create_task(self.rig.controller.run())
        await asyncio.sleep(PASS_SECONDS / 2)
        assert self.rig.controller.situation().beside
        return running


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_outcome_of_a_persons_word_that_cannot_be_recorded_ends_the_controller_at_once() -> None:
    async def story() -> None:
        rest = AtRest()
        running, append = await rest.begin(), rest.rig.controller.chronicle.append

        def broken(writes: Any) -> None:
            if any(write.kind == Kind.PROTECTION_CHANGED for write in writes):
                raise ValueError("what can't stand in a journal")
            append(writes)

        rest.rig.controller.chronicle.append = broken  # type: ignore[method-assign]  # a fault that nobody thought of
        answered = now()
        rest.protector.answers.set()
        with pytest.raises(ValueError, match="stand in a journal"):
            await running
        assert now() == answered

    played(story())


def test_an_outcome_of_a_persons_word_is_looked_at_at_once() -> None:
    async def story() -> None:
        rest = AtRest()
        running = await rest.begin()
        before = rest.rig.controller._looked
        rest.protector.answers.set()
        await asyncio.sleep(PASS_SECONDS / 100)
        assert [body["outcome"] for body in rest.rig.outcomes(Kind.PROTECTION_CHANGED)] == ["succeeded"]
        assert rest.rig.controller._looked is not before, "it did not sleep on"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    played(story())


@pytest.mark.parametrize("incident_is_open", [True, False])
def test_a_clock_that_was_set_back_before_the_next_controller_holds_nothing_of_an_open_incident_off(incident_is_open: bool) -> None:
    async def story() -> None:
        before = Rig()
        if incident_is_open:
            before.approved()
        last = list(before.journal.read())[-1].at_seconds
        before.journal.close()
        machine = Moment()
        machine.seconds = last - 3600.0
        after = Rig(clock=machine, disk=before.disk)
        began = after.controller.situation().now
        assert began == (last if incident_is_open else last - 3600.0)
        assert [record.at_seconds for record in after.journal.read()][-2:] == [began, began]
        machine.seconds += 5.0
        assert after.controller.situation().now == pytest.approx(began + 5.0)
        after.controller._pass()
        stepped = [(body["seconds"], body["kept"]) for body in after.outcomes(Kind.CLOCK_STEPPED)]
        assert stepped == ([(pytest.approx(-3600.0), True)] if incident_is_open else [])

    played(story())
