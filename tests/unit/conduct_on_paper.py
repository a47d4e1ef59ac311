"""A controller on paper: it carries the moves of `conduct` out at once, so that policy can be told as stories without a world."""

from collections.abc import Mapping
from pathlib import Path
from types import EllipsisType
from typing import Any, Literal

from holdfast.conduct.course import finish, intent
from holdfast.conduct.pagers import Pager
from holdfast.conduct.policy import answered, next_moves
from holdfast.conduct.situation import Alarm, Begin, Command, FunctionHit, GiveBack, LossBound, Move, SetMode, Situation, Tell, Write
from holdfast.conduct.turning import withdrawn
from holdfast.decision.replay import IncidentState, Installation, fold, replayed
from holdfast.health.zones import ZoneState
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, Record, following
from holdfast.plan.loader import load
from holdfast.plan.model import Plan

PLAN_FILE = Path(__file__).parents[2] / "examples" / "voicehive" / "plan.yaml"
LOADED = load(PLAN_FILE)
PRIMARY, DR = "eu-west-1", "eu-central-1"
START = 1_000_000.0


class Paper:
    """The journal in memory, a clock that is set, and what each block is told to answer."""

    def __init__(self, *, profile: str = "fast", exercise: str | None = "exercise-7", plan: Plan | None = None) -> None:
        self.plan = plan or LOADED.plan
        self.now = START
        self.records: list[Record] = []
        self.batches: list[int] = []
        """Number of records after each append: the journal takes an append whole or not at all."""
        self.alarms: tuple[Alarm, ...] = ()
        self.hit: tuple[FunctionHit, ...] = ()
        self.unknown: frozenset[str] = frozenset()
        self.observers_heard: frozenset[str] | None = frozenset(self.plan.observers)
        self.zones: tuple[ZoneState, ...] = ()
        self.loss = LossBound(3.5, 40)
        self.lags: dict[str, float | None] = {"database": 0.4, "cache": 0.4, "storage": 1.0}
        self.outcomes: dict[str, str] = {}
        """Block, or step → outcome of its next attempts; succeeded where none is named."""
        self.facts: dict[str, Mapping[str, Any]] = {"fence": {"how": "acknowledged", "position": {"postgres_lsn": "0/3000060"}}}
        self.fence_loss: float | EllipsisType | None = ...
        """What is lost at most as known when the fence stands (None: unknown); not said where it is left out."""
        self.in_flight: frozenset[tuple[str, str]] = frozenset()
        self.hangs: frozenset[str] = frozenset()
        """Blocks that come to no end: they are begun, and stay in flight."""
        self.stray: tuple[int, int] | None = None
        self.begun: list[str] = []
        self.told: list[Tell] = []
        self.giving_back: dict[str, GiveBack] = {}
        """Wishes to give something back, begun and never carried out."""
        self.replication: Literal["asynchronous", "synchronous"] = "asynchronous"
        self.protected: dict[str, bool | None] = {}
        self.protecting: dict[str, SetMode] = {}
        """Orders about protection that are begun, by what identifies them."""
        self.protector_says: str | None = "succeeded"
        """What comes of each; None: nothing yet."""
        self.broken_channels: frozenset[str] = frozenset()
        self.refusing_channels: frozenset[str] = frozenset()
        """Channels that take nothing, for good."""
        self.pagers: frozenset[Pager] = frozenset()
        """Ways of channels that are bound to a pager."""
        self.exercise = exercise
        self.plan_digest = LOADED.digest
        self.profile = self.plan.profiles[profile]
        self.installation = Installation(PRIMARY, observers_heard=self.observers_heard)
        self.write(
            [
                Write(
                    Kind.CONTROLLER_STARTED, "", {"term": 1, "era": 0, "epoch": 1, "serving": PRIMARY, "resumed": False, "profile": profile}
                )
            ]
        )

    def situation(self) -> Situation:
        """What the policy is shown."""
        return Situation(
            plan=self.plan,
            plan_digest=self.plan_digest,
            scenario="regional-outage",
            profile=self.profile,
            installation=self.installation,
            now=self.now,
            alarms=self.alarms,
            functions_hit=self.hit,
            functions_unknown=self.unknown,
            functions_up_since=self.up_since,
            loss=self.loss,
            lags=self.lags,
            zones=self.zones,
            observers_heard=self.observers_heard,
            exercise=self.exercise,
            in_flight=self.in_flight,
            stray=self.stray,
            pagers=self.pagers,
            beside=frozenset(self.giving_back) | frozenset(self.protecting),
            replication=self.replication,
            protected=self.protected,
        )

    @property
    def up_since(self) -> dict[str, float]:
        """Whatever is neither hit nor unknown is seen up, since now."""
        hit = {entry.function for entry in self.hit}
        return {name: self.now for name in self.plan.functions if name not in hit | self.unknown}

    def write(self, writes: list[Write]) -> None:
        """Append, and fold what was appended."""
        for write in writes:
            head = (self.records[-1].sequence, self.records[-1].hash) if self.records else (0, GENESIS)
            record = following(head, self.now, write.kind.value, write.incident, write.body)
            self.records.append(record)
            self.installation = fold(self.installation, record)
            if record.kind == Kind.STEP_FINISHED:
                self.in_flight -= {(record.body["run"], record.body["step"])}
        self.batches.append(len(self.records))

    def _make(self, moves: tuple[Move, ...]) -> None:
        writes = [move for move in moves if isinstance(move, Write)]
        if writes:
            self.write(writes)
        for move in moves:
            if isinstance(move, Begin):
                self._carry_out(move)
            elif isinstance(move, Tell):
                self._tell(move)
            elif isinstance(move, GiveBack):
                self.giving_back[move.identifier] = move
            elif isinstance(move, SetMode):
                self._set_mode(move)

    def _set_mode(self, move: SetMode) -> None:
        self.protecting[move.ask] = move
        if self.protector_says is None:
            return
        if self.protector_says == "succeeded":
            self.protected[move.component] = move.mode == "synchronous"
        body = {"ask": move.ask, "component": move.component, "region": move.region, "mode": move.mode}
        self.write([Write(Kind.PROTECTION_CHANGED, "", {**body, "outcome": self.protector_says, "detail": "said on paper"})])

    def _carry_out(self, move: Begin) -> None:
        self.begun.append(move.step.id)
        situation = self.situation()
        incident = self.installation.incidents[move.incident]
        self.write([Write(Kind.STEP_INTENDED, move.incident, intent(situation, incident, move.run, move.step, move.attempt))])
        if move.step.block.name in self.hangs:
            self.in_flight |= {(move.run, move.step.id)}
            return
        self.now += 0.1
        outcome = self.outcomes.get(move.step.id, self.outcomes.get(move.step.block.name, "succeeded"))
        facts = self.facts.get(move.step.block.name, {})
        body = finish(move.step, move.run, move.attempt, outcome=outcome, detail=outcome, facts=facts, looks=("no", "yes"))
        writes = [Write(Kind.STEP_FINISHED, move.incident, body)]
        if outcome == "succeeded" and move.step.block.name == "fence":
            confirmed = {
                "run": move.run,
                "region": incident.source,
                "how": facts["how"],
                "position": facts["position"],
                "at_seconds": self.now,
            }
            confirmed |= {"loss_bound_seconds": self.fence_loss} if self.fence_loss is not ... else {}
            writes.insert(0, Write(Kind.FENCE_CONFIRMED, move.incident, confirmed))
        if outcome == "succeeded" and move.step.block.name == "withdraw":
            writes = [*withdrawn(self.installation, incident, move.step.parameters["region"], outcome), *writes]
        self.write(writes)

    def _tell(self, move: Tell) -> None:
        self.told.append(move)
        named = {"key": move.key, "message": move.message, "channel": move.channel, "recipient": move.recipient}
        named |= {} if move.over is None else {"over": move.over}
        if (move.over or move.channel) in self.refusing_channels:
            self.write([Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": "no such key", "final": True})])
            return
        if (move.over or move.channel) in self.broken_channels:
            self.write([Write(Kind.NOTIFICATION_FAILED, move.incident, {**named, "reason": "down"})])
            return
        second = {} if move.over is None else {"second_way": f"{move.over}: paper"}
        self.write([Write(Kind.NOTIFICATION_SENT, move.incident, {**named, "reference": "paper", **second})])

    def settle(self, rounds: int = 300) -> None:
        """Make moves until there is nothing left to do now."""
        for _ in range(rounds):
            moves = next_moves(self.situation())
            if not moves:
                return
            self._make(moves)
        raise AssertionError(f"no rest after {rounds} rounds; the last records: {[record.kind for record in self.records[-6:]]}")

    def wait(self, seconds: float) -> None:
        """Let time pass, then settle."""
        self.now += seconds
        self.settle()

    def command(self, verb: str, by: str, **arguments: Any) -> str:
        """Give a command as a person and settle."""
        said, moves = answered(self.situation(), Command(f"c{len(self.records)}", verb, by, arguments))
        self._make(moves)
        self.settle()
        return said

    def lose_region(self, region: str = PRIMARY) -> None:
        """Every observer reports the region lost and every function down."""
        self.alarms = (Alarm(region, "network-lost", True, self.now - 3, "witness and outside get no answer", None),)
        self.hit = tuple(FunctionHit(name, self.now - 3, True) for name in self.plan.functions)
        self.settle()

    def region_answers(self) -> None:
        """What was wrong is no longer so."""
        self.alarms, self.hit = (), ()
        self.settle()

    def approve(self, *people: str, accepts_loss: bool = False) -> list[str]:
        """People approve what is proposed now, as they see it."""
        said = []
        for person in people:
            proposal = self.incident.proposal
            shown = proposal.hash if proposal is not None else ""
            said.append(self.command("approve", person, hash=shown, accepts_loss=accepts_loss))
        return said

    def cut_after(self, batches: int) -> "Paper":
        """What is left when the controller dies after so many appends, replayed by another one."""
        left = Paper(plan=self.plan, exercise=self.exercise)
        left.records = self.records[: self.batches[min(batches, len(self.batches) - 1)]]
        left.installation = replayed(PRIMARY, left.records)
        left.now = left.records[-1].at_seconds
        left.restart()
        return left

    def restart(self, *, epoch: int | None = None) -> None:
        """The controller dies and another one replays the journal. `epoch`: the highest that it hears of, where that is another."""
        self.giving_back.clear()
        term = self.installation.term + 1
        known = {"era": self.installation.era, "epoch": epoch or self.installation.epoch, "serving": self.installation.serving}
        self.write([Write(Kind.CONTROLLER_STARTED, "", {"term": term, "resumed": True, "profile": "fast", **known})])

    @property
    def incident(self) -> IncidentState:
        """The latest incident."""
        return list(self.installation.incidents.values())[-1]

    def kinds(self) -> list[str]:
        """Kinds of all records, in order."""
        return [record.kind for record in self.records]

    def changed(self, **profile: float) -> "Paper":
        """The same with another timing."""
        self.profile = self.profile.model_copy(update=profile)
        return self


def approval_rule(plan: Plan, **changes: Any) -> Plan:
    """The plan with another activation rule."""
    rule = plan.approval.activation.model_copy(update=changes)
    return plan.model_copy(update={"approval": plan.approval.model_copy(update={"activation": rule})})


def lost_and_approved(paper: Paper) -> Paper:
    """The same, after its region was lost and two people said that it shall be left."""
    paper.lose_region()
    paper.approve("exercise-one", "exercise-two")
    return paper
