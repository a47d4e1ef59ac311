"""A whole exercise in virtual time: load, cut, stand-ins approve, recovered, heal, the way back, closed; judged as production judges it.

The same story as the drill on real servers, told with a simulated world. The seed decides when things happen and nothing else does: the
same seed gives the same journal. It decides nothing; people's commands go through the controller and are repeated until answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.conduct.answering import acknowledged_by, calls_of
from holdfast.conduct.decisions import waiting_steps
from holdfast.decision.approval import Proposal
from holdfast.decision.replay import IncidentState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.contents import StoreContents
from holdfast.plan.people import Occasion, approvers, ticks_off
from holdfast.report.build import build
from holdfast.report.facts import ReportFacts
from holdfast.report.model import Finding, Report
from holdfast.simulation.clock import run_virtual
from holdfast.simulation.exported import divergence, held_there
from holdfast.simulation.faults import give_back, take_away, written_in
from holdfast.simulation.stage import VERSION, Stage, StageSettings, Wrap

LOOK_SECONDS = 0.1
READY_BOUND_SECONDS = 60.0
RUN_BOUND_SECONDS = 600.0
"""Far above what a run takes, also with controllers killed on the way: it ends an exercise that hangs."""
SETTLE_SECONDS = 6.0
"""Long enough for ten successes in a row."""

Interference = Callable[[Stage], None]
"""What a test does to the stage before the story begins."""


class NotInTimeError(Exception):
    """What the exercise waited for did not come, or needs a person whom no stand-in may replace."""


@dataclass(frozen=True, slots=True)
class Exercised:
    """What became of it. `facts` is what the report is made from; change it with `replace` and judge again."""

    seed: int
    facts: ReportFacts
    ended_early: str | None
    kills: int
    appends: int
    virtual_seconds: float

    def report(self) -> Report:
        """The judged report."""
        return build(self.facts)

    def __str__(self) -> str:
        return f"exercise with seed {self.seed}: {len(self.facts.records)} records, {self.kills} kills, ended early: {self.ended_early}"


def exercise(settings: StageSettings, interfere: Interference = lambda _: None, wrap: Wrap | None = None) -> Exercised:
    """Play one exercise to its end, in virtual time."""

    async def play() -> Exercised:
        stage = Stage(settings, wrap)
        interfere(stage)
        return await Exercise(stage).play()

    return run_virtual(play)


class Exercise:
    """One exercise under way on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._people = People(stage)
        self._started_seconds = stage.clock.wall_seconds()
        self._after_failover: tuple[StoreContents, ...] = ()
        self._before_reprotect: tuple[StoreContents, ...] = ()

    async def play(self) -> Exercised:
        """The whole story."""
        stage, ended_early = self.stage, None
        stage.begin()
        try:
            await self._until_recovered()
            await self._bring_home()
        except NotInTimeError as failure:
            ended_early = str(failure)
        finally:
            facts = self._facts(ended_early)
            await stage.end()
        return Exercised(stage.settings.seed, facts, ended_early, stage.kills, stage.disk.appends, stage.clock.steady_seconds())

    async def _until_recovered(self) -> None:
        stage, home = self.stage, self.stage.world.home
        await self.until("watching sees every function well", self._all_is_well, READY_BOUND_SECONDS)
        await stage.clock.sleep(5.0 + stage.random.uniform(0.0, 1.0))
        take_away(stage.world, stage.plan.exercises.get(stage.settings.scenario))
        await self._mark("cut", home)
        await self.until(
            "every function is served again",
            lambda: self.incident_is("recovered") or self._is_stuck(),
            self._longest(RUN_BOUND_SECONDS),
        )
        self._nobody_is_needed()
        await stage.clock.sleep(SETTLE_SECONDS)
        self._after_failover = self._written()
        self._before_reprotect = stage.world.contents(home)

    async def _bring_home(self) -> None:
        stage = self.stage
        await self.until("the incident was open as long as it should be", self._open_long_enough, self._longest(READY_BOUND_SECONDS))
        give_back(stage.world)
        await self._mark("heal", stage.world.home)
        await self.until("the way back was asked for", self._asked_for_the_way_back, READY_BOUND_SECONDS)
        await self.until("the region is home again", lambda: self.incident_is("closed") or self._is_stuck(), RUN_BOUND_SECONDS)
        self._nobody_is_needed()
        await stage.clock.sleep(SETTLE_SECONDS)

    def _longest(self, seconds: float) -> float:
        """A bound that also holds where the exercise waits by the plan's clock."""
        settings = self.stage.settings
        return seconds + max(settings.decide_after_seconds, settings.open_for_seconds) / settings.scale

    def _open_long_enough(self) -> bool:
        incident = last_incident(self.stage)
        return incident is not None and self._people.passed(incident, self.stage.settings.open_for_seconds)

    def _written(self) -> tuple[StoreContents, ...]:
        """What the stores hold that are written now; they may be of both regions."""
        world, where = self.stage.world, written_in(self.stage.world)
        held = {(found.store, found.region): found for region in world.regions for found in world.contents(region)}
        return tuple(held[world.component(kind), region] for kind, region in where.items())

    def _asked_for_the_way_back(self) -> bool:
        said = self._people.repeat("failback", "failback")
        return said.startswith("accepted") or self.incident_is("reprotecting", "protected", "returning")

    def _is_stuck(self) -> bool:
        """A step needs a person, and it is none of those that stand-ins tick off."""
        return self.incident_is("needs-person") and not self._people.all_ticked_off()

    def _nobody_is_needed(self) -> None:
        if self.incident_is("needs-person"):
            waiting = [record.body["reason"] for record in self.stage.disk.records if record.kind == Kind.STEP_WAITING]
            raise NotInTimeError(f"a step needs a person and no stand-in may choose for them: {waiting[-1]}")

    async def _mark(self, what: str, detail: str) -> None:
        at_seconds = self.stage.clock.wall_seconds()
        arguments = {"what": what, "detail": detail, "at_seconds": at_seconds}

        def marked() -> bool:
            return self._people.repeat(f"mark-{what}", "mark", arguments).startswith("accepted")

        await self.until(f"the mark '{what}' is kept", marked, READY_BOUND_SECONDS)

    async def until(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Look until it is so, bounded; people answer what they are asked meanwhile. Raises NotInTimeError."""
        clock = self.stage.clock
        deadline = clock.steady_seconds() + seconds
        while not condition():
            if clock.steady_seconds() > deadline:
                raise NotInTimeError(f"{what}: not within {seconds:.0f} s")
            await clock.sleep(LOOK_SECONDS)
            self.stage.check()
            self._people.answer()

    def incident_is(self, *states: str) -> bool:
        """Whether the last incident stands in one of these states."""
        incident = last_incident(self.stage)
        return incident is not None and incident.state.value in states

    def _all_is_well(self) -> bool:
        picture = self.stage.controller.watch.picture if self.stage.controller is not None else None
        if picture is None:
            return False
        return all(joint.health.value == "up" for joint in picture.functions.values()) and all(
            score.score == 100 for score in picture.scores.values()
        )

    def _facts(self, ended_early: str | None) -> ReportFacts:
        stage, plan = self.stage, self.stage.plan
        records: Sequence[Record] = tuple(stage.disk.records)
        now = stage.clock.wall_seconds()
        early = f"It ended before its end: {ended_early}"
        return ReportFacts(
            plan=plan,
            plan_digest=stage.settings.loaded.digest,
            incident=next((record.incident for record in records if record.kind == Kind.INCIDENT_OPENED), ""),
            kind="exercise",
            scenario=stage.settings.scenario,
            profile=stage.settings.profile,
            replication=plan.replication,
            records=records,
            ledgers=dict(stage.clients.ledgers),
            after_failover=self._after_failover,
            before_reprotect=self._before_reprotect,
            before_return=stage.world.read_when_exported.get(stage.world.dr, ()),
            at_end=self._written(),
            started_seconds=self._started_seconds,
            ended_seconds=now,
            generated_seconds=now,
            holdfast_version=VERSION,
            divergence=divergence(stage.world, now),
            held_there=held_there(stage.world),
            findings=() if ended_early is None else (Finding(about="the drill", result="unknown", sentence=early),),
        )


class People:
    """The stand-ins: they approve what is proposed after a while, as they see it, and ask again when nobody answered."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._due_seconds: dict[tuple[str, str], float] = {}
        self._repeats = 0

    @property
    def conductor(self) -> str:
        """The stand-in who conducts the exercise and decides nothing."""
        plan = self._stage.plan
        deciding = {person for role in plan.approval.activation.of for person in plan.roles[role].stand_ins}
        enrolled = [name for name, person in plan.people.items() if person.exercise]
        return next((name for name in enrolled if name not in deciding), enrolled[0])

    def repeat(self, identifier: str, verb: str, arguments: dict[str, object] | None = None) -> str:
        """The conductor's command. What was refused may be asked anew; what got no answer is asked again as the same command."""
        said = self._stage.command(f"{identifier}-{self._repeats}", verb, self.conductor, arguments)
        if said.startswith("refused"):
            self._repeats += 1
        return said

    def answer(self) -> None:
        """Approve what waits for approval and was looked at long enough."""
        incident = last_incident(self._stage)
        if incident is not None and not incident.ended:
            self._acknowledge(incident)
            self._tick_off(incident)
        proposal = incident.proposal if incident is not None else None
        if incident is None or proposal is None:
            return
        if proposal.run == "failover" and not self.passed(incident, self._stage.settings.decide_after_seconds):
            return
        given = {approval.person for approval in incident.approvals}
        for person in self._deciding(proposal):
            if person not in given and self._looked_long_enough(proposal.hash, person):
                arguments = {"hash": proposal.hash, "accepts_loss": self._stage.settings.people_accept_loss}
                self._stage.command(f"approve-{proposal.hash}-{person}", "approve", person, arguments)

    def passed(self, incident: IncidentState, seconds: float) -> bool:
        """Whether so much time of the plan's clock has passed since the impact."""
        return incident.clock.plan_seconds(self._stage.clock.wall_seconds() - incident.impact_seconds) >= seconds

    def _acknowledge(self, incident: IncidentState) -> None:
        """Whoever was called says so after a while, but for those who are to be silent."""
        answered, settings, plan = acknowledged_by(incident), self._stage.settings, self._stage.plan
        called = {recipient: record for record in calls_of(incident) for _, recipient, _ in record.body["calls"]}
        for person, call in called.items():
            silent = person not in plan.people or answered.get(person, 0.0) >= call.at_seconds or person in settings.unanswered
            if not silent and self._looked_long_enough(f"ack-{call.body['key']}", person):
                self._stage.command(f"ack-{call.body['key']}-{person}", "ack", person, {"way": "cli", "incident": incident.incident})

    def _tick_off(self, incident: IncidentState) -> None:
        """What people do by hand is done by whoever stands in for the role that it needs, after a while."""
        for step, asked in waiting_steps(incident).items():
            person = ticks_off(self._stage.plan, str(asked["needs"]))
            known = f"tick-{incident.incident}-{asked['run']}-{step}-{asked['attempt']}"
            if asked["block"] == "manual" and person is not None and self._looked_long_enough(known, person):
                arguments = {"step": step, "choice": "done", "reason": "ticked off in the exercise"}
                self._stage.command(known, "choose", person, arguments)

    def all_ticked_off(self) -> bool:
        """Whether everything that waits for a person is a step that a stand-in ticks off."""
        incident = last_incident(self._stage)
        waiting = waiting_steps(incident).values() if incident is not None else ()
        return all(asked["block"] == "manual" and ticks_off(self._stage.plan, str(asked["needs"])) is not None for asked in waiting)

    def _deciding(self, proposal: Proposal) -> list[str]:
        plan = self._stage.plan
        rule = plan.approval.way_back if proposal.run == "way-back" and plan.approval.way_back else plan.approval.activation
        people = [person for person in approvers(plan, rule, Occasion.EXERCISE) if person != proposal.requester]
        return people[: proposal.count]

    def _looked_long_enough(self, proposed: str, person: str) -> bool:
        now = self._stage.clock.steady_seconds()
        return now >= self._due_seconds.setdefault((proposed, person), now + self._stage.random.uniform(0.1, 0.8))


def last_incident(stage: Stage) -> IncidentState | None:
    """The latest incident that the controller knows, over or not."""
    known = stage.installation
    return list(known.incidents.values())[-1] if known is not None and known.incidents else None
