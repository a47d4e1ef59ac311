"""A whole failover and the way back as facts, made up: what a real exercise leaves behind, without the exercise.

`ReportStory().facts()` is an exercise that passes. Fields turn it into others; `dataclasses.replace` on the facts does the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.ledger.contents import StoreContents, StoredRecord
from holdfast.ledger.entry import LedgerEntry, RequestResult
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.loader import LoadedPlan, load
from holdfast.plan.model import Phase, Plan
from holdfast.report.divergence import Divergence, DivergenceComponent, DivergencePart
from holdfast.report.facts import ReportFacts
from unit.chains import in_order

HOME, DR = "eu-west-1", "eu-central-1"
INCIDENT = "inc-1-1"
IMPACT = 1_790_000_000.0
BEFORE_SECONDS, END_SECONDS = 8.0, 75.0
HEALED, RETURN_DECIDED, RETURN_MOVED, RETURN_BACK = 30.0, 43.0, 46.0, 47.2
STORES: Mapping[str, tuple[str, ...]] = {
    "voice": ("database", "cache", "storage"),
    "pms": ("database", "cache"),
    "authentication": ("database", "cache"),
    "analytics": ("database",),
    "configuration": ("database",),
}
BLOCK_SECONDS: Mapping[str, float] = {
    "assess": 0.01,
    "notify": 0.08,
    "approve": 0.0,
    "fence": 2.7,
    "postgres.promote": 0.84,
    "redis.promote": 0.21,
    "bucket.activate": 0.12,
    "settings.update": 0.62,
    "postgres.verify": 0.31,
    "application.scale": 2.4,
    "application.deploy": 3.1,
    "loadbalancer.switch": 0.22,
    "loadbalancer.drain": 0.15,
    "dns.switch": 0.05,
    "smoke.test": 1.4,
    "performance.watch": 3.2,
    "confirm": 0.4,
    "postgres.reprotect": 4.6,
    "redis.reprotect": 1.1,
    "divergence.export": 0.8,
    "bucket.reconcile": 0.9,
}


@cache
def voicehive() -> LoadedPlan:
    """The reference plan."""
    return load(Path(__file__).parents[2] / "examples" / "voicehive" / "plan.yaml")


@dataclass(frozen=True)
class ReportStory:
    """What happened. Moments are seconds from impact."""

    kind: Literal["exercise", "incident"] = "exercise"
    replication: Literal["asynchronous", "synchronous"] = "asynchronous"
    suspected: float = 2.1
    opened: float = 2.2
    approved: tuple[float, ...] = (3.9, 5.1)
    back: Mapping[str, float] = field(
        default_factory=lambda: {"voice": 12.6, "pms": 12.9, "authentication": 12.4, "analytics": 13.8, "configuration": 14.3}
    )
    lost: Mapping[str, int] = field(default_factory=lambda: {"voice": 2, "pms": 1})
    """Writes to the database acknowledged just before the impact that never reached the other region."""
    late_objects: int = 3
    lost_on_return: int = 0
    second_writer: bool = False
    exported: bool = True
    """Whether what only the lost side held was written down before it was made a replica."""
    unexplained: int = 0
    """Lost writes that are not in that export."""
    loss_bound_seconds: float | None = 4.4
    outcomes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Step → (outcome, verified), where it is not (succeeded, yes)."""
    skipped: frozenset[str] = frozenset()
    way_back: bool = True
    failover_outcome: str | None = "succeeded"
    way_back_outcome: str | None = "succeeded"

    def facts(self) -> ReportFacts:
        """Everything that the report of this story is made from."""
        loaded = voicehive()
        ledgers = {function: tuple(self._ledger(function)) for function in STORES}
        entries = [entry for ledger in ledgers.values() for entry in ledger if entry.result is RequestResult.ACKNOWLEDGED and entry.store]
        missing = self._missing(entries)
        return ReportFacts(
            plan=loaded.plan,
            plan_digest=loaded.digest,
            incident=INCIDENT,
            kind=self.kind,
            scenario="regional-outage",
            profile="fast",
            replication=self.replication,
            records=self._journal(loaded.plan, loaded.digest),
            ledgers=ledgers,
            after_failover=tuple(self._contents(entries, store, DR, 24.0, missing) for store in ("database", "cache", "storage")),
            before_reprotect=tuple(self._old_side(entries, store) for store in ("database", "cache", "storage")),
            before_return=tuple(StoreContents(store, DR, IMPACT + RETURN_BACK, {}) for store in ("database", "cache") if self.way_back),
            at_end=self._at_end(entries, missing),
            started_seconds=IMPACT - BEFORE_SECONDS,
            ended_seconds=IMPACT + END_SECONDS,
            generated_seconds=IMPACT + END_SECONDS + 1.0,
            holdfast_version="0.1.0",
            divergence=self._divergence(missing) if self.exported and self.way_back else None,
            held_there={
                (store, key): "only-here"
                for store, keys in (("database", sorted(missing["gone"])[self.unexplained :]), ("storage", missing["late"]))
                for key in keys
            },
        )

    # --- clients -------------------------------------------------------------------------------------------------------------

    def _ledger(self, function: str) -> Iterator[LedgerEntry]:
        offset = list(STORES).index(function) * 0.031
        every = 0.2 if function == "voice" else 0.35
        now, number = -BEFORE_SECONDS + offset, 0
        while now < END_SECONDS:
            number += 1
            request = f"{function}-{number:05d}"
            took, result = self._answer(function, now)
            yield from self._entries(function, request, now, took, result)
            now += max(every, took + 0.02)

    def _answer(self, function: str, now: float) -> tuple[float, RequestResult]:
        back = self.back[function]
        returning = self.way_back and RETURN_MOVED <= now < RETURN_BACK
        if 0.0 <= now < back - 1.0:
            return 1.0, RequestResult.UNKNOWN
        if 0.0 <= now < back or returning:
            return 0.03, RequestResult.REFUSED
        slow = back <= now < back + 1.5
        return (1.12 if slow and function == "analytics" else 0.024), RequestResult.ACKNOWLEDGED

    def _entries(self, function: str, request: str, now: float, took: float, result: RequestResult) -> Iterator[LedgerEntry]:
        region, epoch = (HOME, 1) if now < 0.0 else (HOME, 3) if self.way_back and now >= RETURN_BACK else (DR, 2)
        sent = IMPACT + now
        if result is not RequestResult.ACKNOWLEDGED:
            detail = "no answer within 1 s" if result is RequestResult.UNKNOWN else "503 from the load balancer"
            yield LedgerEntry(function, request, sent, sent + took, result, None, None, None, None, None, detail)
            return
        for store in STORES[function]:
            key = f"{function}/{store}/{request}"
            yield LedgerEntry(function, request, sent, sent + took, result, store, key, region, epoch, sent + took / 2)

    # --- stores --------------------------------------------------------------------------------------------------------------

    def _missing(self, entries: list[LedgerEntry]) -> dict[str, set[str]]:
        before = [entry for entry in entries if entry.answered_seconds <= IMPACT]
        gone = {
            entry.key or ""
            for function, number in self.lost.items()
            for entry in [e for e in before if e.function == function and e.store == "database"][-number:]
        }
        late = (
            {entry.key or "" for entry in [e for e in before if e.store == "storage"][-self.late_objects :]} if self.late_objects else set()
        )
        return {"gone": gone, "late": late}

    def _contents(
        self, entries: list[LedgerEntry], store: str, region: str, read: float, missing: Mapping[str, set[str]], *, late: bool = True
    ) -> StoreContents:
        without = missing["gone"] | (missing["late"] if late else set())
        held = [e for e in entries if e.store == store and e.answered_seconds <= IMPACT + read and e.key not in without]
        return StoreContents(store, region, IMPACT + read, {e.key or "": _stored(e) for e in held})

    def _old_side(self, entries: list[LedgerEntry], store: str) -> StoreContents:
        held = {e.key or "": _stored(e) for e in entries if e.store == store and e.answered_seconds <= IMPACT}
        if self.second_writer and store == "database":
            held["voice/database/late"] = StoredRecord(1, HOME, IMPACT + 25.0)
        return StoreContents(store, HOME, IMPACT + HEALED + 1.0, held)

    def _at_end(self, entries: list[LedgerEntry], missing: Mapping[str, set[str]]) -> tuple[StoreContents, ...]:
        region = HOME if self.way_back else DR
        dr = [e.key or "" for e in entries if e.region == DR and e.store == "database"]
        gone = missing["gone"] | set(dr[len(dr) - self.lost_on_return :])
        lacking = {"gone": gone, "late": missing["late"]}
        return tuple(
            self._contents(entries, store, region, END_SECONDS + 0.9, lacking, late=not self.way_back)
            for store in ("database", "cache", "storage")
        )

    def _divergence(self, missing: Mapping[str, set[str]]) -> Divergence:
        def component(name: str, kind: str, only_here: int) -> DivergenceComponent:
            part = DivergencePart(name="all", file=f"{name}/all", bytes=0, sha256="", only_here=only_here, differs=0, deleted_here=0)
            return DivergenceComponent(component=name, kind=kind, status="exported", how="compared", parts=(part,), looked_at=True)

        lost = len(missing["gone"]) - self.unexplained
        return Divergence(
            incident=INCIDENT,
            run="reprotect",
            source=HOME,
            target=DR,
            order=(0, 2, 1, 20),
            exported_seconds=IMPACT + HEALED + 2.5,
            components=(component("database", "postgres", lost), component("cache", "redis", 0), component("storage", "bucket", 3)),
        )

    # --- journal -------------------------------------------------------------------------------------------------------------

    def _journal(self, plan: Plan, digest: str) -> tuple[Record, ...]:
        told: list[tuple[float, Kind, str, dict[str, Any]]] = [*self._before(plan, digest), *self._failover(plan)]
        if self.way_back:
            told += self._return(plan)
        return in_order([(round(IMPACT + at, 6), kind, incident, body) for at, kind, incident, body in told])

    def _before(self, plan: Plan, digest: str) -> Iterator[tuple[float, Kind, str, dict[str, Any]]]:
        started = {"term": 1, "version": "0.1.0", "plan_digest": digest, "profile": "fast", "environment": "lab", "resumed": False}
        yield -7.9, Kind.CONTROLLER_STARTED, "", started
        yield -7.8, Kind.PLAN_LOADED, "", {"name": plan.name, "version": plan.version, "digest": digest}
        if self.kind == "exercise":
            yield -7.0, Kind.EXERCISE_MARK, "", {"what": "load-started", "detail": "5 clients"}
            yield 0.012, Kind.EXERCISE_MARK, "", {"what": "cut", "detail": HOME, "at_seconds": IMPACT}
        reason = f"3 of 3 observers get no answer from anything in {HOME}"
        suspicion = {"region": HOME, "trigger": "network-lost", "reason": reason, "since_seconds": IMPACT + 1.0, "score": None}
        yield self.suspected, Kind.SUSPICION_RAISED, "", suspicion

    def _failover(self, plan: Plan) -> Iterator[tuple[float, Kind, str, dict[str, Any]]]:
        opened = {
            "scenario": "regional-outage",
            "kind": self.kind,
            "exercise": "quarterly-drill" if self.kind == "exercise" else None,
            "source": HOME,
            "target": DR,
            "mode": "ungraceful",
            "impact_seconds": IMPACT,
            "trigger": "network-lost",
            "reason": "lost",
        }
        yield self.opened, Kind.INCIDENT_OPENED, INCIDENT, opened
        yield self.opened + 0.001, Kind.RUN_STARTED, INCIDENT, _run("failover", HOME, DR, "ungraceful")
        severity = {"severity": "P1", "functions": list(STORES), "reason": "Voice Call Processing gives no answer"}
        yield self.opened + 0.002, Kind.SEVERITY_CHANGED, INCIDENT, severity
        impact = {"functions": dict.fromkeys(STORES, IMPACT), "cost_usd": 1000.0, "tier": "Minimal"}
        yield self.opened + 0.003, Kind.IMPACT_ASSESSED, INCIDENT, impact
        yield from self._decision("failover", self.opened + 0.05, self.approved, self.loss_bound_seconds, 9)
        decided = max(self.approved) + 0.1
        yield from self._message("incident-alert", self.opened + 0.01, 300.0, ("pagerduty", "slack"), ("exercise:on-call", "exercise-one"))
        yield from self._message("stakeholders", decided + 0.01, 600.0, ("slack", "email"), ("exercise:management",))
        end = yield from self._steps("failover", plan.scenarios["regional-outage"].phases, self.opened + 0.01, decided)
        if self.failover_outcome:
            yield (
                end + 0.02,
                Kind.RUN_FINISHED,
                INCIDENT,
                {"run": "failover", "outcome": self.failover_outcome, "reason": "every step is done"},
            )

    def _return(self, plan: Plan) -> Iterator[tuple[float, Kind, str, dict[str, Any]]]:
        scenario = plan.scenarios["regional-outage"]
        yield HEALED, Kind.EXERCISE_MARK, "", {"what": "heal", "detail": HOME, "at_seconds": IMPACT + HEALED}
        yield HEALED + 2.0, Kind.RUN_STARTED, INCIDENT, _run("reprotect", HOME, DR, "graceful")
        end = yield from self._steps("reprotect", scenario.reprotect, HEALED + 2.1, 0.0)
        yield end + 0.01, Kind.RUN_FINISHED, INCIDENT, {"run": "reprotect", "outcome": "succeeded", "reason": "every step is done"}
        yield end + 0.02, Kind.RUN_STARTED, INCIDENT, _run("way-back", DR, HOME, "graceful")
        yield from self._decision("way-back", end + 0.1, (RETURN_DECIDED - 2.0, RETURN_DECIDED - 0.1), 0.0, 0)
        end = yield from self._steps("way-back", scenario.way_back, end + 0.2, RETURN_DECIDED)
        if self.way_back_outcome:
            finished = {"run": "way-back", "outcome": self.way_back_outcome, "reason": "every step is done"}
            yield end + 0.02, Kind.RUN_FINISHED, INCIDENT, finished
            yield end + 0.03, Kind.INCIDENT_CLOSED, INCIDENT, {"outcome": "returned", "reason": "home again"}

    def _decision(
        self, run: str, asked: float, approved: tuple[float, ...], bound: float | None, writes: int
    ) -> Iterator[tuple[float, Kind, str, dict[str, Any]]]:
        failover = run == "failover"
        action, mode, source, target = ("failover", "ungraceful", HOME, DR) if failover else ("switchover", "graceful", DR, HOME)
        proposal = f"{INCIDENT}-p{1 if failover else 2}"
        shown = {"proposal": proposal, "run": run, "step": "approve", "action": action, "source": source, "target": target, "mode": mode}
        loss = {"loss_bound_seconds": bound, "estimated_writes": writes}
        asks = {"era": 0, "epoch": 2 if failover else 3, "expires_seconds": IMPACT + asked + 1800, "hash": "c0ffee" * 10, "count": 2}
        rule = {"roles": ["platform-lead", "engineering-manager", "incident-commander"], "requester": "holdfast", "above_rpo": False}
        yield asked, Kind.PROPOSED, INCIDENT, {**shown, **loss, **asks, **rule}
        people = (("exercise-one", "platform-lead"), ("exercise-two", "engineering-manager"))
        for at, (person, role) in zip(approved, people, strict=False):
            yield (
                at,
                Kind.APPROVED,
                INCIDENT,
                {"proposal": proposal, "hash": asks["hash"], "person": person, "role": role, "accepts_loss": False},
            )
        decided = max(approved) + 0.1
        names = [person for person, _ in people]
        decision = {"proposal": proposal, "run": run, "action": action, "mode": mode, "reason": "approved", **loss, "approvers": names}
        yield decided - 0.002, Kind.DECIDED, INCIDENT, decision
        yield (
            decided - 0.001,
            Kind.EPOCH_OPENED,
            INCIDENT,
            {"run": run, "era": 0, "epoch": asks["epoch"], "source": source, "target": target},
        )

    def _message(
        self, message: str, at: float, due: float, channels: tuple[str, ...], audience: tuple[str, ...]
    ) -> Iterator[tuple[float, Kind, str, dict[str, Any]]]:
        key = f"{INCIDENT}/{message}/1"
        body = {"key": key, "message": message, "audience": list(audience), "channels": list(channels), "due_seconds": IMPACT + due}
        yield at, Kind.NOTIFICATION_DUE, INCIDENT, body
        for index, channel in enumerate(channels):
            sent = {"message": message, "channel": channel, "recipient": audience[0], "reference": f"file:{index}", "key": key}
            yield at + 0.02 * (index + 1), Kind.NOTIFICATION_SENT, INCIDENT, sent

    def _steps(self, run: str, phases: tuple[Phase, ...], begin: float, decided: float) -> Any:
        """Every step as early as what it waits for allows; returns the end of the last."""
        ended: dict[str, float] = {}
        before: tuple[str, ...] = ()
        order = 0
        source, target = (DR, HOME) if run == "way-back" else (HOME, DR)
        for phase in phases:
            for step in phase.steps:
                waits = before if step.after is None else step.after
                start = max((ended[name] for name in waits if name in ended), default=begin) + 0.004
                start = max(start, decided) if step.block == "approve" else start
                ended[step.id] = start + BLOCK_SECONDS[step.block]
                if step.id in self.skipped:
                    continue
                order += 1
                named = {"run": run, "step": step.id, "block": step.block, "attempt": 1}
                world = {"component": step.component, "source": source, "target": target, "mode": "ungraceful"}
                yield start, Kind.STEP_INTENDED, INCIDENT, {**named, **world, "order": [0, 2, 1, order], "parameters": {}}
                outcome, verified = self.outcomes.get(step.id, ("succeeded", "yes"))
                done = {"detail": BLOCKS[step.block].summary, "facts": {}, "checked": "no", "verified": verified}
                yield ended[step.id], Kind.STEP_FINISHED, INCIDENT, {**named, "outcome": outcome, **done}
                if step.block == "fence":
                    how = "lease-ran-out" if run == "failover" else "acknowledged"
                    at = IMPACT + ended[step.id]
                    confirmed = {
                        "run": run,
                        "region": source,
                        "how": how,
                        "at_seconds": at - 4.5 if run == "failover" else at,
                        "detail": how,
                    }
                    yield (
                        ended[step.id] - 0.001,
                        Kind.FENCE_CONFIRMED,
                        INCIDENT,
                        {**confirmed, "last_heartbeat_seconds": None, "skew_seconds": 0.0},
                    )
            before = tuple(step.id for step in phase.steps)
        return max(ended.values())


def _run(run: str, source: str, target: str, mode: str) -> dict[str, Any]:
    return {"run": run, "source": source, "target": target, "mode": mode, "epoch": 1}


def _stored(entry: LedgerEntry) -> StoredRecord:
    return StoredRecord(entry.epoch, entry.region, entry.written_seconds)
