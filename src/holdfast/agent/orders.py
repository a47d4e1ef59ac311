"""Orders from the controller: compared and kept durably, then carried out. One table says which verb is what.

Rules: an order is compared before anything is done, and kept before it has an effect. A lower one is *refused*; the very same one again
gets the same answer, or is carried out again when there was none (every verb may be repeated). Orders to one store are carried out one at
a time; who comes meanwhile is told to wait, and that order counts as not seen. A fence waits for no store's order: what it kills fails by
itself. `refused` and `failed` are said only here, by the effector.

Never here: HTTP, deciding whether an order is wise.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from holdfast.agent import fence
from holdfast.agent.authority import REGION, WITHDRAW, Authority
from holdfast.agent.charge import Charge, Wanted
from holdfast.agent.configuration import Configuration
from holdfast.agent.exports import Export, said_of
from holdfast.agent.keeper import Keeper
from holdfast.agent.state import Role
from holdfast.agent.store import StoreFailure, StoreRefusal
from holdfast.fencing.order import Order, Verdict
from holdfast.fencing.promise import Certificate, Epoch, Evidence
from holdfast.fencing.signing import record_is_genuine, sign_record

Answer = dict[str, Any]
_STOP_SECONDS = 20.0
_CLOCK_SECONDS = 0.2
"""As far as clocks of two hosts may be apart before a loss counts as larger than approved."""


class BadOrder(Exception):
    """The request is no order. The text says what is wrong with it."""


class Orders:
    """Carries orders out."""

    def __init__(self, configuration: Configuration, authority: Authority, keeper: Keeper) -> None:
        self._region, self._peer = configuration.region, configuration.peer
        self._key = configuration.key
        self._replication = configuration.replication
        self._exports = configuration.exports
        self._lease_wait_seconds = min(configuration.ttl_seconds, 5.0)
        self._authority = authority
        self._keeper = keeper
        self._busy = {name: threading.Lock() for name in [REGION, *keeper.charges]}
        self._verbs: dict[str, Callable[[Order, Mapping[str, Any]], Answer]] = {
            "prepare": self._prepare,
            WITHDRAW: self._withdraw,
            "consent": self._consent,
            "fence": self._fence,
            "quiesce": lambda order, arguments: self._fence(order, {**arguments, "mode": "graceful"}),
        }

    def carry_out(self, payload: Mapping[str, Any]) -> Answer:
        """Answer one order. Raises BadOrder."""
        order, verb, arguments = _read(payload)
        scope, work = self._work(verb)
        foreign = self._authority.not_ours(payload.get("installation"))
        if foreign is not None:
            return self._answer("refused", foreign)
        if not self._busy[scope].acquire(timeout=0.5):
            return self._answer("waiting", f"another order to {scope} is being carried out", {"wait_seconds": 0.5})
        try:
            try:
                verdict, last = self._authority.receive(order, verb, scope)
            except OSError as error:
                return self._not_kept(order, verb, error)
            if verdict is Verdict.REFUSED:
                highest = self._authority.highest
                return self._answer(
                    "refused", f"order {order.as_list()} is not above {highest.as_list() if highest else None}, which was seen"
                )
            if verdict is Verdict.REPEATED and last is not None and last.answer is not None:
                return {**last.answer, "repeated": True}
            answer = self._try(work, order, arguments)
            if answer["result"] != "waiting":
                self._authority.answered(order, verb, scope, answer)
            return answer
        finally:
            self._busy[scope].release()

    def _not_kept(self, order: Order, verb: str, error: OSError) -> Answer:
        """An order that can't be made durable is not obeyed, but for a fence: removing write power never waits, not even for a disk."""
        why = f"the order could not be kept durably ({error.strerror or error}): make room on the disk of the agent's state directory"
        highest = self._authority.highest
        if verb not in ("fence", "quiesce") or (highest is not None and order <= highest):
            return self._answer("failed", why)
        with contextlib.suppress(OSError):
            self._authority.yield_power(order)
        clean = all(charge.fence().clean for charge in self._keeper.charges.values() if charge.armed)
        return self._answer("failed", f"{'fenced' if clean else 'not wholly fenced'}, but {why}; a restart of the agent would undo it")

    def _try(self, work: Callable[[Order, Mapping[str, Any]], Answer], order: Order, arguments: Mapping[str, Any]) -> Answer:
        try:
            return work(order, arguments)
        except StoreRefusal as refusal:
            return self._answer("refused", str(refusal))
        except StoreFailure as failure:
            return self._answer("failed", str(failure))
        except OSError as error:
            return self._answer("failed", f"{self._region}: {error.strerror or error} {error.filename or ''}".strip())

    def _work(self, verb: str) -> tuple[str, Callable[[Order, Mapping[str, Any]], Answer]]:
        if verb in self._verbs:
            return REGION, self._verbs[verb]
        name, _, deed = verb.partition(".")
        charge = self._keeper.charges.get(name)
        deeds: dict[str, Callable[[Charge, Order, Mapping[str, Any]], Answer]] = {
            "promote": self._promote,
            "export": self._export,
            "restore": self._restore,
            "reprotect": self._reprotect,
            "synchronous": self._synchronous,
        }
        if charge is None or deed not in deeds:
            known = [*self._verbs, *(f"{name}.{deed}" for name in self._keeper.charges for deed in deeds)]
            raise BadOrder(f"unknown verb {verb!r}; known: {', '.join(known)}")
        return name, lambda order, arguments: deeds[deed](charge, order, arguments)

    def _answer(self, result: str, detail: str, facts: Mapping[str, Any] | None = None) -> Answer:
        highest = self._authority.highest
        return {"result": result, "detail": detail, "facts": dict(facts or {}), "highest_order": highest.as_list() if highest else None}

    # -- the right to write -------------------------------------------------------------------------------------------------

    def _prepare(self, order: Order, arguments: Mapping[str, Any]) -> Answer:
        reply, wait = self._authority.prepare(order)
        return self._answer("succeeded" if reply.yes else "refused", reply.reason, {"wait_seconds": round(wait, 3)})

    def _consent(self, order: Order, arguments: Mapping[str, Any]) -> Answer:
        given = arguments.get("certificate")
        certificate = self._certificate(given) if given is not None else None
        reply = self._authority.consent(order, certificate)
        if reply.yes:
            return self._answer("succeeded", reply.reason)
        return self._answer("waiting" if reply.wait_seconds else "refused", reply.reason, {"wait_seconds": round(reply.wait_seconds, 3)})

    def _withdraw(self, order: Order, arguments: Mapping[str, Any]) -> Answer:
        evidence = Evidence.OTHER_NEVER_CONSENTS if arguments.get("controller_consented") is False else Evidence.UNKNOWN
        reply = self._authority.withdraw(order, evidence)
        return self._answer("succeeded" if reply.yes else "refused", reply.reason)

    def _certificate(self, given: Any) -> Certificate:
        try:
            era, epoch = given["era"], given["epoch"]
            certificate = Certificate(given["region"], Epoch(era, epoch), Order.from_list(given["order"]), given["fenced_at_seconds"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadOrder(f"arguments.certificate is no certificate of fence: {error!r}") from error
        if certificate.region != self._peer.name or not record_is_genuine(self._peer.key, given):
            raise BadOrder(f"arguments.certificate was not signed by the agent of {self._peer.name}")
        return certificate

    # -- taking write power away ----------------------------------------------------------------------------------------------

    def _fence(self, order: Order, arguments: Mapping[str, Any]) -> Answer:
        started = time.monotonic()
        state = self._authority.state
        held = state.memory.epoch if state.memory.holder == self._region else None
        position: dict[str, Any] = {}
        if held is not None and arguments.get("mode") == "graceful" and self._authority.holding:
            position = self._stop_writers(order, float(arguments.get("limit_seconds", _STOP_SECONDS)))
        self._authority.yield_power(order)
        armed = [charge for charge in self._keeper.charges.values() if charge.armed]
        done = [charge.fence() for charge in armed]
        facts: dict[str, Any] = {
            "fences": [{"store": e.name, "how": e.how, "killed": e.killed, "seconds": round(e.seconds, 4), "clean": e.clean} for e in done],
            "position": position,
            "seconds": round(time.monotonic() - started, 4),
        }
        left = {each.name: list(each.left) for each in done if not each.clean}
        if left:
            return self._answer("failed", f"processes could not be killed: {left}; look at the host", facts)
        if held is None:
            return self._answer("succeeded", f"{self._region} does not hold the right to write; nothing runs as writer", facts)
        for charge in armed:
            charge.store.bar_writer()
        fenced_at = time.time()
        what = f"order {order.as_list()}: nothing can write here"
        self._authority.record("fenced-as-ordered", what, position=position, order=order.as_list())
        certificate = {
            "region": self._region,
            "era": held.era,
            "epoch": held.epoch,
            "order": order.as_list(),
            "fenced_at_seconds": fenced_at,
        }
        facts |= {"certificate": sign_record(self._key, certificate), "fenced_at_seconds": fenced_at}
        return self._answer("succeeded", "every process of every writer is gone, and stays so", facts)

    def _stop_writers(self, order: Order, limit_seconds: float) -> dict[str, Any]:
        """Stop them orderly, side by side, and give the right to write up while nobody can start one again. What can't be stopped in time
        is fenced after this, and has no position."""
        charges = [charge for charge in self._keeper.charges.values() if self._authority.role(charge.name) is Role.WRITER]
        position: dict[str, Any] = {}

        def stop(charge: Charge) -> Mapping[str, Any]:
            try:
                return charge.store.stop_gracefully(limit_seconds)
            except (StoreFailure, StoreRefusal) as failure:
                self._authority.record("stop-failed", str(failure), store=charge.name)
                return {}

        with contextlib.ExitStack() as held:
            for charge in charges:
                held.enter_context(charge.lock)
            if charges:
                with ThreadPoolExecutor(len(charges)) as pool:
                    for facts in pool.map(stop, charges):
                        position.update(facts)
            self._authority.yield_power(order)
        return position

    # -- giving it ------------------------------------------------------------------------------------------------------------

    def _promote(self, charge: Charge, order: Order, arguments: Mapping[str, Any]) -> Answer:
        position = arguments.get("source_position") or {}
        if not isinstance(position, Mapping):
            return self._answer("refused", "arguments.source_position must be an object")
        if (against := self._taken_up(order)) is not None:
            return against
        with charge.lock:
            return self._made_writer(charge, order, lambda: charge.store.promote(order.era, order.epoch, position))

    def _restore(self, charge: Charge, order: Order, arguments: Mapping[str, Any]) -> Answer:
        """As a promotion, of a copy that was restored aside and verified first. Until then the replica goes on as it is."""
        if (against := self._taken_up(order)) is not None:
            return against
        with charge.lock:
            facts = charge.store.restore_aside()
            if (lacks := copy_lacks(facts, arguments)) is not None:
                detail, found = lacks
                return self._answer("refused", f"the restored copy of {charge.name} {detail}; it was not swapped in", {**facts, **found})
            return self._made_writer(charge, order, lambda: {**facts, **charge.store.adopt_restored(order.era, order.epoch)})

    def _taken_up(self, order: Order) -> Answer | None:
        """Take the order's epoch up and wait for its lease; an answer when that can't be."""
        reply = self._authority.take_up(order)
        if not reply.yes:
            return self._answer("refused", reply.reason)
        until = time.monotonic() + self._lease_wait_seconds
        while not self._keeper.may_write():
            if time.monotonic() > until:
                return self._answer(
                    "failed", "nobody has promised this region the lease yet: neither the controller nor the other agent answers"
                )
            self._authority.changed.set()
            time.sleep(0.01)
        return None

    def _made_writer(self, charge: Charge, order: Order, work: Callable[[], Mapping[str, Any]]) -> Answer:
        """Make a store the writer, armed before it can be one. The caller holds the charge's lock."""
        if self._replication == "synchronous":
            why = f"from its promotion under epoch {order.era}.{order.epoch} on, since nobody follows it yet: unprotected"
            self._mode(charge, why, "asynchronous")
        charge.arm()
        self._authority.set_role(charge.name, Role.PROMOTING)
        try:
            facts = work()
        except StoreRefusal:
            # Nothing was changed: it is still the replica that it was.
            if self._replication == "synchronous":
                self._mode_as_it_was(charge, "it was not promoted")
            charge.disarm()
            self._authority.set_role(charge.name, Role.REPLICA)
            raise
        if not self._authority.is_newest(order, charge.name) or not self._keeper.may_write():
            return self._answer("failed", "the right to write was lost while the store was being promoted: it is being fenced", facts)
        if self._replication == "synchronous" and facts.get("how") == "already":
            self._mode_as_it_was(charge, "it was the writer of this epoch already")
        self._authority.set_role(charge.name, Role.WRITER)
        charge.started_as(Wanted.WRITER)
        how = "" if "aside" not in facts else f", restored from backup and archive; the original is kept in {facts.get('kept')}"
        self._authority.record("promoted", f"{charge.name} is the writer of epoch {order.era}.{order.epoch}{how}", store=charge.name)
        return self._answer("succeeded", f"{charge.name} of {self._region} is the writer{how}", facts)

    def _mode(self, charge: Charge, why: str, mode: str) -> None:
        self._authority.record("replication-mode", f"{charge.name}: {mode}, {why}", store=charge.name, mode=mode)

    def _mode_as_it_was(self, charge: Charge, since: str) -> None:
        """Takes the last record back, without a mode: nobody has looked which one it is."""
        self._authority.record("replication-mode", f"{charge.name}: as it was, since {since}", store=charge.name)

    def _reprotect(self, charge: Charge, order: Order, arguments: Mapping[str, Any]) -> Answer:
        self._authority.learn(Epoch(order.era, order.epoch), self._peer.name)
        if self._authority.state.memory.holder == self._region:
            return self._answer(
                "refused", f"{self._region} holds the right to write under {tuple(self._authority.epoch)}: it becomes no replica"
            )
        with charge.lock:
            if self._authority.role(charge.name) is not Role.REPLICA and not self._stand_down(charge):
                return self._answer("failed", f"processes of {charge.name} could not be killed; look at the host")
            facts = charge.store.become_replica()
            self._authority.set_role(charge.name, Role.REPLICA)
            charge.started_as(Wanted.REPLICA)
        self._authority.record("reprotected", f"{charge.name} is a replica of {self._peer.name}", store=charge.name)
        return self._answer("succeeded", f"{charge.name} of {self._region} is a replica of {self._peer.name}", facts)

    def _stand_down(self, charge: Charge) -> bool:
        """Nothing of it runs, nothing of it starts as a writer, and what is started next is no longer killed."""
        if not charge.fence().clean:
            return False
        charge.store.bar_writer()
        self._authority.set_role(charge.name, Role.BARRED)
        charge.disarm()
        fence.open_group(charge.target)
        return True

    def _export(self, charge: Charge, order: Order, arguments: Mapping[str, Any]) -> Answer:
        self._authority.learn(Epoch(order.era, order.epoch), self._peer.name)
        if self._authority.state.memory.holder == self._region:
            return self._answer("refused", f"{self._region} holds the right to write: nothing of its is lost")
        directory = self._exports / f"{charge.name}-{order.era}-{order.epoch}"
        if directory.exists():
            return self._answer("succeeded", f"what only {charge.name} of {self._region} held was exported before", said_of(directory))
        with charge.lock:
            if self._authority.role(charge.name) is Role.REPLICA:
                why = f"{charge.name} of {self._region} is a replica already: what only it held is no longer there"
                return self._answer("refused", why)
            if not self._stand_down(charge):
                return self._answer("failed", f"processes of {charge.name} could not be killed; look at the host")
            facts = charge.store.export_divergence(Export(directory))
        what = f"what only {charge.name} held is in {directory}"
        self._authority.record("divergence-exported", what, store=charge.name, **facts)
        return self._answer("succeeded", f"what only {charge.name} of {self._region} held is exported", facts)

    def _synchronous(self, charge: Charge, order: Order, arguments: Mapping[str, Any]) -> Answer:
        mode = arguments.get("mode")
        if mode not in ("asynchronous", "synchronous"):
            return self._answer("refused", f"arguments.mode must be asynchronous or synchronous, not {mode!r}")
        if not self._keeper.may_write():
            return self._answer("refused", f"{self._region} is not the writer")
        with charge.lock:
            # Before: relaxing acknowledges whoever waits, and from then on the epoch is not protected any more.
            protected = "each write waits for the replica" if mode == "synchronous" else "no write waits for the replica: unprotected"
            self._mode(charge, protected, mode)
            facts = charge.store.set_synchronous(mode)
        return self._answer("succeeded", f"{charge.name} of {self._region} replicates {mode}", facts)


def copy_lacks(facts: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """What a restored copy lacks beyond what people approved, in words and facts; None when it may be swapped in.

    The time of its newest heartbeat, read out of the copy itself, says so: when a file of the log arrived doesn't. The same order with a
    larger bound is obeyed.
    """
    bound, stopped = arguments.get("loss_bound_seconds"), arguments.get("stopped_seconds")
    if not isinstance(bound, int | float) or not isinstance(stopped, int | float) or facts.get("how") == "already":
        return None
    newest = facts.get("restored_heartbeat_seconds")
    if newest is None:
        return "holds no heartbeat, so what it lacks is not known", {}
    lost = max(0.0, float(stopped) - float(newest))
    if lost <= float(bound) + _CLOCK_SECONDS:
        return None
    detail = f"ends {lost:.1f} s before the source stopped, and people approved a loss of at most {float(bound):.1f} s"
    return detail, {"would_lose_seconds": round(lost, 3), "approved_seconds": float(bound)}


def _read(payload: Mapping[str, Any]) -> tuple[Order, str, Mapping[str, Any]]:
    verb, arguments = payload.get("verb"), payload.get("arguments", {})
    values = payload.get("order")
    if not isinstance(values, list):
        raise BadOrder("order must be a list of four integers")
    if not isinstance(verb, str):
        raise BadOrder("verb must be a text")
    if not isinstance(arguments, Mapping):
        raise BadOrder("arguments must be an object")
    try:
        return Order.from_list(values), verb, arguments
    except ValueError as error:
        raise BadOrder(str(error)) from error
