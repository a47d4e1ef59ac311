"""May this region write, and may the other? The agent's memory, promises and lease behind one short lock.

Rules: what changed is durable before any answer leaves. Nothing here takes long, so the lock may be taken by whoever must answer or fence
at once. Moments are `pulse.boot_seconds()`. Write power is granted only by others' promises and by orders; it is removed by time, by an
order, by learning of a higher epoch, and by a guard that doesn't tick.

Never here: network, processes, stores.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.agent.pulse import boot_seconds
from holdfast.agent.state import Answered, Records, Role, State, StateFile
from holdfast.fencing.lease import Lease
from holdfast.fencing.order import Order, Verdict, accept
from holdfast.fencing.promise import VOID_SECONDS, Ask, Certificate, Epoch, Evidence, Grantor, Reply, Timing

REGION = "region"
"""Scope of the orders that are about the right to write as a whole."""
WITHDRAW = "withdraw"
"""The order that an epoch is never opened."""


class Authority:
    """One region's right to write, and its promises to the other."""

    def __init__(self, state: State, file: StateFile, records: Records, timing: Timing) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Event()
        """Set whenever the keeper should look before its next tick."""
        self._asking = threading.Condition()  # held for a moment only, and after `lock` where both are
        self._turns = 0
        self._state = state
        self._file = file
        self.records = records
        self._grantor = Grantor.start(state.memory, timing, boot_seconds())
        self._lease = Lease(state.memory.epoch)
        self._asked_from_seconds = float("-inf") if state.yielded is None else float("inf")
        """Promises asked for before this moment don't count."""

    # -- facts ------------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The durable state as it is now."""
        return self._state

    @property
    def epoch(self) -> Epoch:
        """The highest epoch that is open, as far as this agent knows."""
        return self._state.memory.epoch

    @property
    def holding(self) -> bool:
        """Whether this region is the one to hold the lease: it has the epoch, and did not give its power up."""
        return self._state.memory.holder == self._state.region and self._state.yielded is None

    @property
    def deadline_seconds(self) -> float:
        """Not to write at or after this moment; 0 without a lease or without the right to one."""
        with self.lock:
            if not self.holding or self._lease.epoch != self.epoch:
                return 0.0
            return self._lease.deadline_seconds or 0.0

    def remaining_seconds(self) -> float:
        """How long the lease still lasts."""
        return max(0.0, self.deadline_seconds - boot_seconds())

    def role(self, store: str) -> Role:
        """A store's durable role."""
        return self._state.roles[store]

    def facts(self) -> dict[str, Any]:
        """For /v1/status."""
        with self.lock:
            memory, activation = self._state.memory, self._state.memory.activation
            return {
                "region": self._state.region,
                "instance": self._state.instance,
                "installation": self._state.installation,
                "role": "holder" if self.holding else ("fenced" if memory.holder == self._state.region else "standby"),
                "era": memory.epoch.era,
                "epoch": memory.epoch.epoch,
                "holder": memory.holder,
                "highest_order": highest.as_list() if (highest := self.highest) else None,
                "lease_remaining_seconds": round(self.remaining_seconds(), 3),
                "promising": self._grantor.promising,
                "promise_ends_in_seconds": round(max(-VOID_SECONDS, self._grantor.runs_out_seconds - boot_seconds()), 3),
                "pledged": {"era": activation.epoch.era, "epoch": activation.epoch.epoch, "stage": activation.stage}
                if activation
                else None,
                "withdrawn": list(memory.withdrawn) if memory.withdrawn else None,
                "yielded": self._state.yielded.as_list() if self._state.yielded else None,
                "unheard": sorted(memory.unheard),
                "records_after": self.records.last,
            }

    def not_ours(self, named: object) -> str | None:
        """Why somebody who names an installation is of another one; None when it is this agent's, or names none. The first one that an
        agent without any hears of becomes its own, durably."""
        with self.lock:
            known = self._state.installation
            if not isinstance(named, str) or not named or named == known:
                return None
            if known:
                return f"this agent of {self._state.region} belongs to the installation {known}, not to {named}: use that one's journal"
            self._write(replace(self._state, installation=named))
            return None

    # -- the lease ------------------------------------------------------------------------------------------------------------

    def asking(self, ttl_seconds: float) -> Ask | None:
        """What to ask grantors for now; None when this region has nothing to ask for."""
        with self.lock:
            return Ask(self._state.region, self.epoch, self._state.instance, ttl_seconds) if self.holding else None

    def wait_to_ask(self, turns: int, seconds: float) -> int:
        """Wait so long, or until this region has begun to ask anew since it had done so `turns` times. Returns how often it has by now."""
        with self._asking:
            self._asking.wait_for(lambda: self._turns != turns, timeout=seconds)
            return self._turns

    def granted(self, grantor: str, epoch: Epoch, sent_seconds: float, ttl_seconds: float) -> None:
        """A grantor promised."""
        with self.lock:
            if sent_seconds < self._asked_from_seconds:
                return
            if self._lease.epoch != self.epoch:
                self._lease = Lease(self.epoch)
            self._lease = self._lease.granted(grantor, epoch, sent_seconds, ttl_seconds)
        self.changed.set()

    def inherit(self, deadline_seconds: float) -> None:
        """What an earlier agent on this boot was promised: its writer may go on that long."""
        with self.lock:
            if self.holding:
                self._lease = self._lease.granted("an earlier agent", self.epoch, deadline_seconds, 0.0)

    def learn(self, epoch: Epoch, holder: str) -> None:
        """Somebody knows of an epoch. A higher one takes this region's right to write away, durably."""
        with self.lock:
            before = self._state.memory
            self._keep(self._grantor.learn(epoch, holder))
            if before.holder == self._state.region and self._state.memory.holder != self._state.region:
                self.record(
                    "superseded",
                    f"epoch {epoch.era}.{epoch.epoch} is held by {holder}: this region stays fenced until it is made a replica",
                )

    def hear(self, grantor: str, epoch: Epoch, holder: str, under_way: Epoch | None) -> None:
        """After the loss of memory: what another knows."""
        with self.lock:
            if grantor in self._state.memory.unheard:
                self._keep(self._grantor.hear(grantor, epoch, holder, under_way))
                self.record(
                    "heard", f"after the loss of its memory this agent heard {grantor}: epoch {epoch.era}.{epoch.epoch}, held by {holder}"
                )

    def promise(self, ask: Ask) -> Reply:
        """The other region's agent asks for a promise."""
        with self.lock:
            reply = self._grantor.ask(ask, boot_seconds())
            self._keep(reply.grantor)
            return reply

    # -- orders -----------------------------------------------------------------------------------------------------------------

    @property
    def highest(self) -> Order | None:
        """The highest order of all scopes."""
        return max((last.order for last in self._state.orders.values()), default=None)

    def receive(self, order: Order, verb: str, scope: str) -> tuple[Verdict, Answered | None]:
        """Compare and keep an order, before anything is done about it. With a repeated one comes what was answered.

        An order to a store must be above the last to that store and the last to the region; one to the region above all. So two stores
        may be promoted at the same time, and whatever was ordered before a fence or withdrawal stays undone after it (see `_as_before`).
        """
        with self.lock:
            last = self._state.orders.get(scope)
            if last is not None and last.order == order:
                return (Verdict.REPEATED if last.verb == verb else Verdict.REFUSED), last
            before = (self._as_before(each, order) for place, each in self._state.orders.items() if place in (scope, REGION))
            verdict = accept(order, self.highest if scope == REGION else max(before, default=None))
            if verdict is not Verdict.ACCEPTED:
                return Verdict.REFUSED, last
            self._write(replace(self._state, orders={**self._state.orders, scope: Answered(order, verb)}))
            return verdict, None

    def answered(self, order: Order, verb: str, scope: str, answer: Mapping[str, Any]) -> None:
        """Keep the final answer to the newest order of a scope."""
        with self.lock:
            last = self._state.orders.get(scope)
            if last is not None and last.order == order:
                self._write(replace(self._state, orders={**self._state.orders, scope: Answered(order, verb, dict(answer))}))

    def is_newest(self, order: Order, scope: str) -> bool:
        """Whether no higher order came to the scope or the region in the meantime."""
        with self.lock:
            before = (last for place, last in self._state.orders.items() if place in (scope, REGION))
            return all(self._as_before(last, order) <= order for last in before)

    def _as_before(self, last: Answered, order: Order) -> Order:
        """What was ordered last as an order to a store is compared with it. A withdrawn epoch never opened: what is ordered after that,
        under the epoch that stayed in force, comes after the withdrawal. To whatever comes late of the withdrawn one, it stays."""
        in_force = (self.epoch.era, self.epoch.epoch)
        if last.verb == WITHDRAW and (order.era, order.epoch) == in_force < (last.order.era, last.order.epoch):
            return replace(last.order, era=in_force[0], epoch=in_force[1])
        return last.order

    def prepare(self, order: Order) -> tuple[Reply, float]:
        """Stop promising. Also: how long the promises made before still run."""
        with self.lock:
            reply = self._grantor.prepare(order)
            self._keep(reply.grantor)
            return reply, max(0.0, self._grantor.runs_out_seconds - boot_seconds())

    def consent(self, order: Order, certificate: Certificate | None) -> Reply:
        """Agree to the activation if no promise runs."""
        with self.lock:
            if certificate is not None:
                self._keep(self._grantor.fenced(certificate).grantor)
            reply = self._grantor.consent(order, boot_seconds())
            self._keep(reply.grantor)
            return reply

    def withdraw(self, order: Order, evidence: Evidence) -> Reply:
        """Turn back: promise again; and, where this region gave its power up for that activation, take it up again."""
        with self.lock:
            epoch = Epoch(order.era, order.epoch)
            if evidence is Evidence.UNKNOWN and self.epoch < epoch:
                # This agent is where the activation would take effect. It has not, and every older order is refused from here on.
                evidence = Evidence.NEVER_TAKES_EFFECT
            reply = self._grantor.withdraw(order, evidence)
            self._keep(reply.grantor)
            if self._state.memory.holder == self._state.region and self._state.yielded is not None:
                # A promise that a certificate may have made void counts no more: only what is asked for from now on.
                self._ask_again_from(boot_seconds())
                self._write(replace(self._state, yielded=None))
                self.record(
                    "unfenced", f"ordered back (epoch {epoch.era}.{epoch.epoch} was not opened): this region asks for the lease again"
                )
                reply = replace(reply, yes=True, reason="this region asks for the lease again")
            self.changed.set()
            return reply

    def yield_power(self, order: Order) -> None:
        """Give the right to write up under an order of fence. Takes effect at once, before it is durable; an OSError says that it isn't."""
        with self.lock:
            if self._state.memory.holder == self._state.region and self._state.yielded is None:
                self._state = replace(self._state, yielded=order)
                self._ask_again_from(float("inf"))
                self.changed.set()
                self._file.write(self._state)
        self.changed.set()

    def take_up(self, order: Order) -> Reply:
        """Become the holder of the epoch that was consented to."""
        with self.lock:
            epoch = Epoch(order.era, order.epoch)
            if self.epoch == epoch and self._state.memory.holder == self._state.region:
                return Reply(self._grantor, True, "taken up already")
            old = [name for name, role in self._state.roles.items() if role is Role.WRITER]
            if old:
                # The lease would start it as it is: what another region wrote since would be lost, and nobody would have promoted it.
                why = f"{', '.join(old)} here is the writer of epoch {self.epoch.era}.{self.epoch.epoch} and no replica: make it one first"
                return Reply(self._grantor, False, why)
            activation = self._state.memory.activation
            if activation is None or activation.epoch != epoch:
                return Reply(
                    self._grantor, False, f"epoch {epoch.era}.{epoch.epoch} was not consented to here: order prepare and consent first"
                )
            reply = self._grantor.take_up(self._state.region)
            if reply.yes:
                self._keep(reply.grantor, yielded=None)
                self._ask_again_from(boot_seconds())
                self.record("taken-up", f"epoch {epoch.era}.{epoch.epoch} is held by this region")
            self.changed.set()
            return reply

    def set_role(self, store: str, role: Role) -> None:
        """Durably."""
        with self.lock:
            if self._state.roles[store] is not role:
                self._write(replace(self._state, roles={**self._state.roles, store: role}))

    def set_initialised(self) -> None:
        """The initial holder's stores were made."""
        with self.lock:
            self._write(replace(self._state, initialised=True))

    def record(self, what: str, detail: str, **facts: Any) -> None:
        """Add a signed local record. It must never keep a fence from happening: a full disk is said by the caller, not raised here."""
        with self.lock:
            try:
                self.records.append(what, detail, time.time(), epoch=list(self.epoch), **facts)
            except OSError as error:
                print(f"agent {self._state.region}: a record could not be written ({error.strerror}): {what}: {detail}", flush=True)

    def _ask_again_from(self, moment_seconds: float) -> None:
        self._lease, self._asked_from_seconds = Lease(self.epoch), moment_seconds
        with self._asking:
            self._turns += 1
            self._asking.notify_all()

    # -- durability -------------------------------------------------------------------------------------------------------------

    def _keep(self, grantor: Grantor, **changes: Any) -> None:
        if grantor.memory is not self._state.memory or changes:
            self._write(replace(self._state, memory=grantor.memory, **changes))
        self._grantor = grantor

    def _write(self, state: State) -> None:
        if state != self._state:
            self._file.write(state)
            self._state = state
