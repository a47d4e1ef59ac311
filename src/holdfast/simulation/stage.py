"""A simulated world with observers, clients and channels, and the production controller over it, which can be killed at any moment.

What outlives a controller (the world, the disk, what channels took) lies here; a controller is started as `app_controller` starts it:
its grantor hears the agents first when it has no memory, then a term begins, then the loop runs. A killed one is replaced after a while.
It decides nothing. Everything random comes from one seed.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from holdfast.conduct.situation import Command
from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.hearing import hear
from holdfast.controller.keeper import Keeper
from holdfast.controller.loop import Controller
from holdfast.controller.settings import Settings
from holdfast.controller.watch import Watch
from holdfast.decision.replay import Installation
from holdfast.fencing.promise import LONGEST_TTL_SECONDS, Timing
from holdfast.plan.loader import LoadedPlan
from holdfast.ports.action import Action
from holdfast.simulation.actions import simulated_actions
from holdfast.simulation.clients import SimulatedClients
from holdfast.simulation.clock import VirtualClock
from holdfast.simulation.journal import ControllerCrash, MemoryDisk, MemoryJournal, MemoryPromises
from holdfast.simulation.notifier import MemoryNotifier
from holdfast.simulation.observations import SimulatedObserver
from holdfast.simulation.world import SILENCE_SECONDS, SimulatedWorld

VERSION = "simulation"

Wrap = Callable[[str, Action], Action]
"""Something to put round the action of a block: what a test wants to see or to spoil."""


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What is played. `exercise`: the identifier of the recorded test, or None for the real thing."""

    loaded: LoadedPlan
    scenario: str = "regional-outage"
    profile: str = "fast"
    exercise: str | None = "exercise-simulated"
    seed: int = 0
    clients_every_seconds: float = 0.4
    scale: float = 1.0
    """How fast the plan's clock runs."""
    decide_after_seconds: float = 0.0
    """On the plan's clock, from the impact: the stand-ins decide no sooner."""
    open_for_seconds: float = 0.0
    """On the plan's clock, from the impact: the region comes back no sooner."""
    unanswered: frozenset[str] = frozenset()
    """Stand-ins who acknowledge nothing."""
    people_accept_loss: bool = False
    """Whether those who approve also accept, by name, a loss that is unknown or above the RPO."""


class Stage:
    """One simulated installation. Use it inside `run_virtual`; `begin` starts everything, `end` stops it."""

    def __init__(self, settings: StageSettings, wrap: Wrap | None = None) -> None:
        self.settings = settings
        self.plan = settings.loaded.plan
        self.random = Random(settings.seed)
        self.clock = VirtualClock()
        self.controller_clock = self.clock
        """The controller's host's; the same as everybody's unless a story gives it one of its own."""
        self.world = SimulatedWorld(self.plan, settings.profile, self.clock)
        self.clients = SimulatedClients(self.world, every_seconds=settings.clients_every_seconds)
        self.observers = {site: SimulatedObserver(self.world, site) for site in self.plan.observers}
        self.disk = MemoryDisk()
        self.notifiers = {channel: MemoryNotifier() for channel in sorted(self.plan.channels())}
        self.controller: Controller | None = None
        self.keeper: Keeper | None = None
        self.kills = 0
        self.took_over_after_seconds: Callable[[], float] = lambda: self.random.uniform(0.2, 2.0)
        self._wrap = wrap or (lambda _, action: action)
        self._journal: MemoryJournal | None = None
        self._running: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # -- the whole ----------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the world, then everything that looks at it and acts on it."""
        self.disk.on_crash = self._controller_died
        asyncio.get_running_loop().set_exception_handler(_unless_killed)
        for coroutine in (self.world.run(), self.clients.run(), *(observer.run() for observer in self.observers.values())):
            self._start(coroutine)
        self._start(self._keep_a_controller())

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(coroutine))

    async def end(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def check(self) -> None:
        """Raise what ended a part of the stage that should still run."""
        for task in self._tasks:
            if task.done():
                task.result()

    @property
    def installation(self) -> Installation | None:
        """What the controller knows, or None while there is none."""
        return self.controller.chronicle.installation if self.controller is not None else None

    # -- the controller -----------------------------------------------------------------------------------------------------

    def kill_controller(self) -> None:
        """As kill -9: whatever it was about to do or to write is not done."""
        if self._journal is not None:
            self._journal.kill()

    def lose_journal(self) -> None:
        """The controller dies and its disk with it."""
        self.kill_controller()
        self.disk = MemoryDisk(on_crash=self._controller_died)

    def command(self, identifier: str, verb: str, by: str, arguments: Mapping[str, Any] | None = None) -> str:
        """A person's command. No controller, or one that dies over it, is *unknown*: ask again with the same identifier."""
        if self.controller is None:
            return "unknown: no controller answers"
        try:
            return self.controller.submit(Command(identifier, verb, by, arguments or {}))
        except ControllerCrash:
            return "unknown: the controller died over it"

    def _controller_died(self) -> None:
        self.kills += 1
        self.controller = self.world.controller = None
        if self._running is not None:
            self._running.cancel()

    async def _keep_a_controller(self) -> None:
        while True:
            try:
                await self._one_controller()
            except ControllerCrash:
                pass  # that is what this stage is for; the next one takes over
            finally:
                self.controller = self.world.controller = None
                if self._journal is not None:
                    self._journal.close()
            await self.clock.sleep(self.took_over_after_seconds())

    async def _one_controller(self) -> None:
        settings, plan, disk = self.settings, self.plan, self.disk
        clock = KeptClock(self.controller_clock)
        self._journal = MemoryJournal(disk)
        profile = plan.profiles[settings.profile]
        longest = min(max(known.lease for known in plan.profiles.values()), LONGEST_TTL_SECONDS)
        timing = Timing(profile.drift, profile.margin)
        self.keeper = Keeper(MemoryPromises(disk), clock, timing, longest, tuple(plan.regions))
        watch = Watch(plan, profile, settings.scenario, tuple(self.observers.values()), clock)
        actions = {block: self._wrap(block, action) for block, action in simulated_actions(self.world, self.keeper).items()}
        controller = Controller(
            Settings(
                plan, settings.loaded.digest, settings.scenario, settings.profile, "simulation", VERSION, settings.exercise, settings.scale
            ),
            self._journal,
            clock,
            watch,
            actions,
            self.notifiers,
            self.keeper,
        )
        self._running = asyncio.create_task(self._conduct(controller, self.keeper))
        await asyncio.wait([self._running])
        if not self._running.cancelled():
            self._running.result()

    async def _conduct(self, controller: Controller, keeper: Keeper) -> None:
        used, term = await hear(
            keeper, self.plan.regions, self._status, self.clock, lambda _: None, journal_is_new=controller.chronicle.is_new
        )
        controller.begin_term((keeper.epoch.era, keeper.epoch.epoch, keeper.holder), used, term)
        self.controller, self.world.controller = controller, keeper.ask
        await controller.run()

    async def _status(self, region: str) -> Mapping[str, Any] | None:
        world, agent = self.world, self.world.regions[region].agent
        if not world.agent_answers(self.plan.witness, region):
            await self.clock.sleep(SILENCE_SECONDS)
            return None
        pledged, ordered = agent.activation, agent.orders.all_highest
        return {
            "era": agent.epoch.era,
            "epoch": agent.epoch.epoch,
            "holder": agent.holder,
            "pledged": None if pledged is None else {"era": pledged.epoch.era, "epoch": pledged.epoch.epoch, "stage": pledged.stage.value},
            "withdrawn": None if agent.withdrawn is None else list(agent.withdrawn),
            "highest_order": None if ordered is None else ordered.as_list(),
        }


def _unless_killed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task of a killed controller has nobody left to hear how it ended."""
    if not isinstance(context.get("exception"), ControllerCrash):
        loop.default_exception_handler(context)
