"""Watching: fetch what the observers saw, keep the rolling history, and say what it means whenever a pass asks.

An observer that doesn't answer is silent: nothing is concluded from that here (`health` counts configured observers).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.conduct.runs import current_run, may_lose, moved_alone, regions_of_run
from holdfast.conduct.situation import Alarm, FunctionHit, LossBound
from holdfast.controller.clock_steps import KeptClock
from holdfast.decision.replay import Installation
from holdfast.fencing.promise import VOID_SECONDS
from holdfast.health.history import History, absorb, fresh_seconds
from holdfast.health.loss import SKEW_SECONDS, ComponentLoss, component_losses, worst_loss, write_rates
from holdfast.health.observation import Subject
from holdfast.health.picture import Picture, picture
from holdfast.health.protection import protected
from holdfast.health.signals import Health
from holdfast.health.standing import Standing, served_from, standings
from holdfast.health.triggers import TriggerKey, TriggerState, evaluate
from holdfast.health.zones import ZoneState
from holdfast.plan.model import Plan, Profile
from holdfast.ports.consent import Consent
from holdfast.ports.probe import ObservationSource

log = logging.getLogger(__name__)

_FETCH_SECONDS = 2.0
HEARD_SECONDS = 5.0
"""An observer that has not answered for so long is called silent."""
_NETWORK_LOST = "network-lost"


@dataclass(frozen=True, slots=True)
class Seen:
    """What watching says at one moment."""

    alarms: tuple[Alarm, ...]
    functions_hit: tuple[FunctionHit, ...]
    functions_unknown: frozenset[str]
    functions_up_since: Mapping[str, float]
    loss: LossBound
    observers_heard: frozenset[str] | None
    zones: tuple[ZoneState, ...] = ()
    lags: Mapping[str, float | None] = field(default_factory=dict)
    """Component → seconds that its copy is behind, see `Situation`."""
    protected: Mapping[str, bool | None] = field(default_factory=dict)
    """Component → whether each write in the region that serves waits for its replica."""


class Watch:
    """All observers of the plan, and what they amount to."""

    def __init__(self, plan: Plan, profile: Profile, scenario: str, sources: Sequence[ObservationSource], clock: KeptClock) -> None:
        self._plan = plan
        self._profile = profile
        self._scenario = scenario
        self._keep_data = {name for kind in ("postgres", "redis", "bucket") for name in plan.components_of(kind)}
        self._triggers = plan.scenarios[scenario].triggers
        self._sources = sources
        self._clock = clock
        self._history = History()
        self._started_seconds = clock.steady_seconds()
        self._states: Mapping[TriggerKey, TriggerState] = {}
        self.picture: Picture | None = None
        self.heard_seconds: dict[str, float] = {}
        """Observer → the controller's wall clock when it answered last."""

    async def run(self) -> None:
        """Fetch from every observer until cancelled."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._follow(source))

    async def _follow(self, source: ObservationSource) -> None:
        last = 0
        while True:
            try:
                async with asyncio.timeout(_FETCH_SECONDS):
                    batch = await source.since(last)
            except (ConnectionError, TimeoutError, OSError) as error:
                log.debug("observer %s is silent: %s", source.site, error)
                batch = ()
            else:
                self.heard_seconds[source.site] = self._clock.wall_seconds()
            if batch:
                # A restarted observer counts from one again; following its numbers down loses nothing.
                last = batch[-1].sequence
                self._history = absorb(self._history, batch, self._clock.wall_seconds(), self._profile)
            await self._clock.sleep(self._profile.probe_every / 4)

    def now(self, installation: Installation, consent: Consent) -> Seen:
        """What is known at this moment. `consent`: the controller's own promise bounds how long the source may still write."""
        now = self._clock.wall_seconds()
        self.picture = picture(self._plan, self._profile, self._history, now)
        self._states = evaluate(self._plan, self._profile, self._triggers, self.picture, self._states)
        loss = self._loss(installation, consent, now)
        return Seen(
            self._alarms(installation),
            self._functions_hit(self.picture, installation.serving),
            frozenset(name for name, joint in self.picture.functions.items() if joint.health is Health.UNKNOWN),
            {name: joint.since_seconds for name, joint in self.picture.functions.items() if joint.health is Health.UP},
            loss,
            self._heard(now),
            self.picture.zones,
            self._lags(installation, loss, now),
            protected(self._plan, self._profile, self._history, installation.serving, now),
        )

    def _heard(self, now: float) -> frozenset[str] | None:
        """Observers that answered of late; nothing is said before each has had the time to."""
        if self._clock.steady_seconds() - self._started_seconds < HEARD_SECONDS:
            return None
        return frozenset(site for site, heard in self.heard_seconds.items() if now - heard <= HEARD_SECONDS)

    def _alarms(self, installation: Installation) -> tuple[Alarm, ...]:
        """Conditions that hold, and suspicions whose condition became unknown: only an answer takes a suspicion away."""
        alarms = []
        for key, state in self._states.items():
            if state.condition and state.since_seconds is not None:
                alarms.append(Alarm(state.region, state.trigger, bool(state.firing), state.since_seconds, state.reason, state.score))
            elif state.condition is None and key in installation.suspicions:
                alarms.append(Alarm(state.region, state.trigger, False, installation.suspicions[key], state.reason, state.score))
        return tuple(alarms)

    def _functions_hit(self, seen: Picture, serving: str) -> tuple[FunctionHit, ...]:
        """Functions whose transactions fail or are slow; all of them as soon as nothing, or no zone, answers where they are served."""
        lost = self._states.get((serving, _NETWORK_LOST))
        if lost is not None and lost.condition and lost.since_seconds is not None:
            return tuple(FunctionHit(name, lost.since_seconds, True) for name in self._plan.functions)
        # Where only the application moved, clients are served elsewhere than where the writer is: its zones say nothing about them.
        there = set(self.served_from().values()) or {serving}
        zones = [zone for zone in seen.zones if zone.region == serving and serving in there]
        if zones and all(zone.health is Health.DOWN for zone in zones):
            since = max(zone.since_seconds for zone in zones)
            return tuple(FunctionHit(name, since, True) for name in self._plan.functions)
        bad = (Health.DOWN, Health.DEGRADED)
        return tuple(
            FunctionHit(name, joint.since_seconds, joint.health is Health.DOWN)
            for name, joint in seen.functions.items()
            if joint.health in bad
        )

    def losses(self, target: str, until_seconds: float) -> Mapping[str, ComponentLoss]:
        """Live RPO of every component that keeps data, were `target` to take over and the source fenced at `until_seconds`.

        A kept clock may be behind what the writers' heartbeats are stamped by: then as much more may be lost.
        """
        until_seconds += self._clock.behind_seconds()
        source = next(name for name in self._plan.regions if name != target)
        return component_losses(self._plan, self._history, target, until_seconds, SKEW_SECONDS, write_rates(self._history, source))

    def _loss(self, installation: Installation, consent: Consent, now: float) -> LossBound:
        """What a failover now may lose: from the newest write known in the target to the end of the last promise to the source.

        Two grantors may have promised: this controller, and the target's agent (as observers last heard from it). While a promise
        runs it may still be renewed, so the bound gets two probe intervals on top; once it has run out, the bound stands still.
        """
        incident = installation.open_incident()
        source = may_lose(incident, installation.serving)
        alone = moved_alone(self._plan, incident, self._scenario)
        if alone is not None:
            return self._loss_of(alone, source, next(name for name in self._plan.regions if name != source), now)
        target = next(name for name in self._plan.regions if name != source)
        ends_in = max(consent.promise_ends_in_seconds(), self._agent_promise_ends_in(target, now))
        headroom = 2 * self._profile.probe_every if ends_in > 0 else 0.0
        losses = self.losses(target, now + ends_in + headroom)
        return LossBound(*worst_loss(losses), tuple(losses.values()))

    def _loss_of(self, components: frozenset[str], source: str, target: str, now: float) -> LossBound:
        """What may be lost where no writer moves: of a bucket, what had not been copied when the observers saw it go down.

        A bucket has no fence. What is still written there while they see it down is brought over when it is back (`bucket.reconcile`).
        """
        down = [
            joint.since_seconds
            for joint in (self.picture.joints if self.picture is not None else ())
            if joint.region == source and joint.subject is Subject.BUCKET and joint.health is Health.DOWN
        ]
        until = min(down, default=now) + self._profile.probe_every
        moved = {name: loss for name, loss in self.losses(target, until).items() if name in components}
        return LossBound(*worst_loss(moved), tuple(moved.values())) if moved else LossBound(0.0, 0)

    def _lags(self, installation: Installation, loss: LossBound, now: float) -> dict[str, float | None]:
        """How far behind the copies are where writers could move to. An old look counts as if nothing had been written since."""
        known: Mapping[str, ComponentLoss] = {one.component: one for one in loss.components}
        source, left = may_lose(installation.open_incident(), installation.serving), self._left_alone(installation)
        if left not in (None, source) or not self._keep_data <= known.keys():
            source = left or source
            known = self.losses(next(name for name in self._plan.regions if name != source), now)
        seen = {name: one.last_replayed_seconds for name, one in known.items()}
        return {name: None if replayed is None else max(0.0, now - replayed) for name, replayed in seen.items()}

    @staticmethod
    def _left_alone(installation: Installation) -> str | None:
        """The region that a run leaves which moves something without a writer: its copies aren't what the writer's region loses."""
        incident = installation.open_incident()
        run = current_run(incident) if incident is not None else None
        return regions_of_run(incident, run)[0] if incident is not None and run is not None and run in incident.numbers else None

    def standings(self) -> tuple[Standing, ...]:
        """How each thing of the regions stands, for readers."""
        return () if self.picture is None else standings(self._history, self.picture)

    def served_from(self) -> Mapping[str, str]:
        """Function → the region that its clients are sent to, for readers."""
        return served_from(self._history)

    def promise_ended_seconds(self, region: str, after_seconds: float) -> float | None:
        """When the last promise of this region's agent ends, if it was seen after that moment to promise no more; otherwise None.

        None too when a certificate made it void: until then the writer may have had it, and when that was only the certificate says.
        """
        seen = [
            track
            for (_, seen_region, subject, _), track in self._history.tracks.items()
            if seen_region == region and subject is Subject.AGENT and "promise_ends_in_seconds" in track.last.facts
        ]
        newest = max(seen, key=lambda track: track.at_seconds, default=None)
        if newest is None or newest.at_seconds <= after_seconds or newest.last.facts.get("promising") is not False:
            return None
        ends_in = float(newest.last.facts["promise_ends_in_seconds"])
        return newest.at_seconds + ends_in if ends_in > -VOID_SECONDS else None

    def _agent_promise_ends_in(self, region: str, now: float) -> float:
        """When the promise of this region's agent ends; a whole promise from now where nobody has heard it of late.

        One that a certificate made void says when no writer was left no longer: that was now at the latest.
        """
        whole = self._profile.lease * (1 + self._profile.drift) + self._profile.margin
        ends = [
            track.at_seconds + ends_in if (ends_in := float(track.last.facts["promise_ends_in_seconds"])) > -VOID_SECONDS else now
            for (_, seen_region, subject, _), track in self._history.tracks.items()
            if seen_region == region
            and subject is Subject.AGENT
            and "promise_ends_in_seconds" in track.last.facts
            and now - track.at_seconds <= fresh_seconds(self._profile)
        ]
        return max(ends) - now if ends else whole
