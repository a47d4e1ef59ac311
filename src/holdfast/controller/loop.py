"""The loop: one pass sees, asks `conduct` for the next moves, makes them durable, and carries them out.

A pass never waits for the world: steps run as tasks beside it and come back as results, people's commands are answered
within the pass that handles them, observers are read by tasks of their own. When nothing is to do, it sleeps.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict

from holdfast.communications.recipients import NO_DIRECTORY, Directory
from holdfast.conduct.attesting import attest_memory, is_attested
from holdfast.conduct.course import finish, intent
from holdfast.conduct.expected import run_progress
from holdfast.conduct.guards import handed_over
from holdfast.conduct.policy import answered, next_moves
from holdfast.conduct.promised import held_to
from holdfast.conduct.runs import current_run
from holdfast.conduct.situation import Begin, Command, GiveBack, Move, SetMode, Situation, Tell, Write
from holdfast.controller.beside import Beside
from holdfast.controller.chronicle import Chronicle
from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.execution import StepResult, carry_out, prove
from holdfast.controller.giving_back import given_back
from holdfast.controller.importing import keep_importing
from holdfast.controller.outcomes import follows
from holdfast.controller.promising import keep_promises
from holdfast.controller.protecting import mode_set
from holdfast.controller.room import JournalRoom
from holdfast.controller.settings import Settings
from holdfast.controller.telling import Telling
from holdfast.controller.watch import Watch
from holdfast.fencing.order import Order
from holdfast.journal.kinds import Kind
from holdfast.ports.action import Action, Mode, Task
from holdfast.ports.consent import Consent, NoConsent
from holdfast.ports.divergence import Giver
from holdfast.ports.journal_store import JournalFull, JournalStore
from holdfast.ports.local_records import LocalRecords
from holdfast.ports.notifier import Notifier
from holdfast.ports.protection import Protector
from holdfast.runbook.progress import next_moment

log = logging.getLogger(__name__)

PASS_SECONDS = 0.25
"""Longest pause between two passes: how late a change of the world may be noticed."""
_MOST_ROUNDS = 200
"""Moves follow from moves; more rounds than this in one pass is a fault of the policy, not work."""
_MOVES_PROMISES = frozenset({Kind.EPOCH_OPENED, Kind.EPOCH_WITHDRAWN, Kind.RUN_STARTED})
"""Records after which this controller promises something else than before."""


class UnderWay(TypedDict):
    """What was begun and isn't finished: the part of a situation that changes within a pass."""

    in_flight: frozenset[tuple[str, str]]
    telling: frozenset[tuple[str, str, str]]
    beside: frozenset[str]


class Controller:
    """One controller over one journal. `run` returns when the task is cancelled or the journal belongs to another one."""

    def __init__(
        self,
        settings: Settings,
        store: JournalStore,
        clock: KeptClock,
        watch: Watch,
        actions: Mapping[str, Action],
        notifiers: Mapping[str, Notifier],
        consent: Consent,
        local_records: Sequence[LocalRecords] = (),
        giver: Giver | None = None,
        protector: Protector | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._watch = watch
        self._actions = actions
        self._consent = consent
        self._local_records = local_records
        self._chronicle = Chronicle(store, clock, settings.plan.primary_region())
        if self._chronicle.installation.open_incident() is not None:
            clock.go_on_from(self._chronicle.last_seconds)
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self.room = JournalRoom(clock)
        """Whether the journal takes what is written."""
        self._giver, self._protector = giver, protector
        self._beside = Beside(self._append_patiently, self._wake.set)
        self.telling = Telling(notifiers, clock, self._append_patiently, self._wake.set)
        """The messages under way."""
        self.directory: Callable[[], Directory] = lambda: NO_DIRECTORY
        """Who is in the audiences whose members stand outside the plan."""
        self.hears: frozenset[str] = frozenset()
        """Regions whose agents must still be heard before the term begins."""
        self._looked: Situation | None = None
        """What the last pass saw: enough to know when the next pause ends, without judging every observation again."""
        self._promises_behind = False
        """Whether the journal says something about promises that the consent could not be told yet: a full disk keeps it from that."""
        self._ended_by: Exception | None = None
        """What a task beside the loop could not get over: another controller, or a fault. An outcome that can't be recorded must not be
        forgotten, or its step would hang for ever; the next controller settles it."""

    @property
    def chronicle(self) -> Chronicle:
        """What is known, for readers."""
        return self._chronicle

    @property
    def watch(self) -> Watch:
        """What is being watched, for readers."""
        return self._watch

    def begin_term(self, heard: tuple[int, int, str], used: tuple[int, int] = (0, 0), term: int = 0, installation: str = "") -> None:
        """Record that this controller is the one now, and promise to whoever holds the write epoch.

        `heard`: the highest (era, epoch) that any agent knows and its holder; a journal that knows less was lost, and goes on from there.
        `used`: the highest (era, epoch) that anybody has seen in an order, opened or not; it is never used again.
        `term`: the highest of a controller that anybody has obeyed; a journal that counts less was lost.
        `installation`: which one this is (see `hearing.belongs_to`).
        """
        self.hears = frozenset()
        settings, before = self._settings, self._chronicle.installation
        era, epoch, serving = max((before.era, before.epoch, before.serving), heard)
        resumed = not self._chronicle.is_new
        started = {
            "term": max(before.term, term) + 1,
            "version": settings.version,
            "plan_digest": settings.plan_digest,
            "profile": settings.profile_name,
            "environment": settings.environment,
            "exercise": settings.exercise,
            "resumed": resumed,
            "era": era,
            "epoch": epoch,
            "serving": serving,
            "used": list(max((era, epoch), before.used, used)),
            "installation": installation or before.identity,
        }
        loaded = {"name": settings.plan.name, "version": settings.plan.version, "digest": settings.plan_digest}
        self._chronicle.append([Write(Kind.CONTROLLER_STARTED, "", started), Write(Kind.PLAN_LOADED, "", loaded)])
        self._keep_promises()

    def _keep_promises(self) -> None:
        """See `keep_promises`. As long as it could not be done, nothing else is."""
        self._promises_behind = True
        keep_promises(self._consent, self._chronicle.installation)
        self._promises_behind = False

    async def run(self) -> None:
        """Pass after pass. Raises JournalConflict when another controller took over; waits out a full disk, doing nothing."""
        watching = asyncio.create_task(self._watch.run())
        importing = [asyncio.create_task(keep_importing(self._chronicle, source, self._clock, self.room)) for source in self._local_records]
        try:
            while True:
                try:
                    self._pass()
                    self._there_is_room()
                except JournalFull as full:
                    self.room.lacks(full)
                    await self._clock.sleep(1.0)
                if (fault := self._ended_by or self._beside.ended_by or self.telling.ended_by) is not None:
                    raise fault
                for task in (watching, *importing):
                    if task.done():
                        task.result()
                await self._rest()
        finally:
            running = [*self._tasks.values(), *self._beside.tasks.values(), watching, *importing]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, self.telling.stop(), return_exceptions=True)

    def _there_is_room(self) -> None:
        """Record how long nothing could be recorded, once that is over. Raises JournalFull while it isn't."""
        if (lasted := self.room.lasted()) is not None:
            self._chronicle.append([Write(Kind.JOURNAL_WAITED, "", lasted)])
            self.room.found()

    async def _rest(self) -> None:
        pause = PASS_SECONDS
        incident = self._chronicle.installation.open_incident()
        run = current_run(incident) if incident is not None else None
        if incident is not None and run is not None and self._looked is not None:
            moment = next_moment(run_progress(replace(self._looked, installation=self._chronicle.installation), incident, run)[1])
            if moment is not None:
                pause = min(max(moment - self._clock.wall_seconds(), 0.01), pause)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()
        self._wake.clear()

    def situation(self) -> Situation:
        """Everything the next moves depend on, now. For readers too."""
        seen = self._watch.now(self._chronicle.installation, self._consent)
        settings = self._settings
        return Situation(
            plan=settings.plan,
            plan_digest=settings.plan_digest,
            scenario=settings.scenario,
            profile=settings.profile,
            installation=self._chronicle.installation,
            now=self._clock.wall_seconds(),
            alarms=seen.alarms,
            functions_hit=seen.functions_hit,
            functions_unknown=seen.functions_unknown,
            functions_up_since=seen.functions_up_since,
            loss=seen.loss,
            lags=seen.lags,
            zones=seen.zones,
            protected=seen.protected,
            replication=settings.replication,
            pagers=settings.pagers,
            promise_ends_seconds=self._clock.wall_seconds() + self._consent.promise_ends_in_seconds(),
            stray=self._consent.stray(),
            observers_heard=seen.observers_heard,
            **self._under_way(),
            exercise=settings.exercise,
            scale=settings.scale,
            directory=self.directory(),
        )

    def _under_way(self) -> UnderWay:
        return {
            "in_flight": frozenset(self._tasks),
            "telling": self.telling.under_way,
            "beside": frozenset(self._beside.tasks),
        }

    def _pass(self) -> None:
        if self._promises_behind:
            self._keep_promises()
        self._look_at_the_clock()
        situation = self._looked = self.situation()
        for _ in range(_MOST_ROUNDS):
            moves = next_moves(situation)
            if not moves:
                return
            self._make(situation, moves)
            situation = replace(situation, installation=self._chronicle.installation, **self._under_way())
        raise RuntimeError(f"the policy found no rest within {_MOST_ROUNDS} rounds; this is a fault in Holdfast, please report it")

    def _look_at_the_clock(self) -> None:
        kept = self._chronicle.installation.open_incident() is not None
        if (step := self._clock.untold_step_seconds()) is not None:
            self._chronicle.append([Write(Kind.CLOCK_STEPPED, "", {"seconds": step, "kept": kept})])
            self._clock.told(step)
        if not kept:
            self._clock.take_up()

    def submit(self, command: Command) -> str:
        """A person's command: journalled, answered at once in a sentence, and acted on in the same pass."""
        if self.hears:
            return self._attested(command)
        said, moves = answered(self.situation(), command)
        self._make(self.situation(), moves)
        self._wake.set()
        return said

    def _attested(self, command: Command) -> str:
        """A word for a silent agent: all that can be said before the term begins."""
        known = self._chronicle.installation
        if command.identifier in known.handled_commands:
            return known.handled_commands[command.identifier]
        said, writes = attest_memory(self._settings.plan, self._settings.exercise, known.attested, self.hears, command)
        body = {"id": command.identifier, "verb": command.verb, "by": command.by, "arguments": {**command.arguments}, "answer": said}
        self._chronicle.append([Write(Kind.COMMAND, "", body), *writes])
        return said

    def _make(self, situation: Situation, moves: Sequence[Move]) -> None:
        """Durable first. All records of a stage go in one transaction; then the intents, one by one, and their steps."""
        writes = [move for move in moves if isinstance(move, Write)]
        if writes:
            self._chronicle.append(writes)
            self._give_up(writes)
            if any(write.kind in _MOVES_PROMISES for write in writes):
                self._keep_promises()  # Also when this raises, no pass makes another move before it was done.
        for move in moves:
            if isinstance(move, Begin):
                self._begin(replace(situation, installation=self._chronicle.installation), move)
            elif isinstance(move, Tell):
                incident = self._chronicle.installation.incidents.get(move.incident)
                self.telling.begin(move, move.test or (self._settings.exercise if incident is None else incident.exercise))
            elif isinstance(move, GiveBack):
                self._beside.begin(move.identifier, partial(given_back, self._giver, move))
            elif isinstance(move, SetMode):
                self._beside.begin(move.ask, partial(mode_set, self._protector, move))

    def _give_up(self, writes: Sequence[Write]) -> None:
        """Wait no more for steps that were given an outcome without them. What was ordered may still happen: later orders are higher."""
        for write in writes:
            if write.kind is Kind.STEP_FINISHED:
                task = self._tasks.pop((write.body["run"], write.body["step"]), None)
                if task is not None:
                    task.cancel()

    def _begin(self, situation: Situation, move: Begin) -> None:
        incident = situation.installation.incidents[move.incident]
        body = intent(situation, incident, move.run, move.step, move.attempt)
        self._chronicle.append([Write(Kind.STEP_INTENDED, move.incident, body)])
        if move.step.block.grants_write:
            self._promises_behind = True  # From this record on the epoch is open: see `promising`.
        key = (move.run, move.step.id)
        self._tasks[key] = asyncio.create_task(self._step(situation, move, body))

    async def _step(self, situation: Situation, move: Begin, body: Mapping[str, Any]) -> None:
        key = (move.run, move.step.id)
        try:
            await self._promises_kept()
            result = await self._act(situation, move, body)
            looks, facts = (result.checked, result.verified), result.facts
            done = finish(move.step, move.run, move.attempt, outcome=result.outcome, detail=result.detail, facts=facts, looks=looks)
            known, now = self._chronicle.installation, self._clock.wall_seconds()
            also = follows(known, self._settings.profile, self._watch, move, body, result, now)
            await self._append_patiently([*also, Write(Kind.STEP_FINISHED, move.incident, done)])
            if also:
                self._promises_move(result.facts.get("certificate"))
        except Exception as fault:
            self._ended_by = fault
        finally:
            if self._tasks.get(key) is asyncio.current_task():
                del self._tasks[key]
            self._wake.set()

    async def _promises_kept(self) -> None:
        """Before anything is ordered, what the journal says about promises is durable."""
        while self._promises_behind:
            try:
                self._keep_promises()
            except JournalFull as full:
                self.room.lacks(full)
                await self._clock.sleep(1.0)

    def _promises_move(self, certificate: object) -> None:
        """Bring the promises in line with a fence or a withdrawal. What a full disk keeps from that is done before anything else."""
        self._promises_behind = True
        try:
            if isinstance(certificate, Mapping):
                self._consent.fenced(certificate)
                with suppress(NoConsent):  # Then the certificate alone is what the fence stands on.
                    self._consent.remaining_seconds()  # Consent, durably, before any promotion is ordered.
            self._keep_promises()
        except JournalFull as full:
            self.room.lacks(full)

    async def _append_patiently(self, writes: Sequence[Write]) -> None:
        """Append as soon as the disk takes it: an outcome is never dropped while this controller lives."""
        while True:
            try:
                self._chronicle.append(writes)
                return
            except JournalFull as full:
                self.room.lacks(full)
                await self._clock.sleep(1.0)

    async def _act(self, situation: Situation, move: Begin, body: Mapping[str, Any]) -> StepResult:
        incident = situation.installation.incidents[move.incident]
        known: dict[str, Any] = {
            "source_position": dict(handed_over(incident, move.run)),
            "promised": held_to(situation.plan, incident, move.run, body["mode"], move.step.id),
        }
        if move.step.block.name == "fence":
            known["attested"] = is_attested(incident, move.run)
        parameters = {**move.step.parameters, **known}
        task = Task(
            step=move.step.id,
            block=move.step.block.name,
            component=move.step.component,
            source=body["source"],
            target=body["target"],
            mode=Mode(body["mode"]),
            order=Order.from_list(body["order"]),
            parameters=parameters,
            incident=move.incident,
            run=move.run,
        )
        try:
            action = self._actions[move.step.block.name]
            if move.prove_only:
                return await prove(action, task, self._clock, move.step.time_limit_seconds)
            return await carry_out(action, task, self._clock, move.step.time_limit_seconds, look_only=move.look_only)
        except Exception as fault:  # A provider's own fault must not end the loop that conducts the incident.
            log.exception("the provider of %s failed", task.block)
            return StepResult("unknown", f"fault in the provider of {task.block}: {fault!r}", "unknown", "unknown")
