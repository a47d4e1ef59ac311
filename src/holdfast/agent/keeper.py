"""The agent's watch over time: the guard's deadline, the fence when the lease is over, and each store brought to what it should be doing.

Rules: at every tick the deadline is looked at before anything else, so an agent that was stopped and wakes fences first. The guard's
deadline grows only while the guard ticks; it shrinks always. Removing write power waits for nobody: no lock, no network, no disk.

Never here: asking for the lease (`renewal`), orders (`orders`).
"""

import sys
import threading
import time
from collections.abc import Mapping

from holdfast.agent.authority import Authority
from holdfast.agent.charge import Charge, Wanted
from holdfast.agent.configuration import Configuration
from holdfast.agent.guarding import Guarding
from holdfast.agent.pulse import boot_seconds
from holdfast.agent.state import Role


class Keeper:
    """The loop."""

    def __init__(self, configuration: Configuration, authority: Authority, guarding: Guarding) -> None:
        self._authority = authority
        self._guarding = guarding
        self._tick_seconds = configuration.tick_seconds
        self._reserve_seconds = configuration.reserve_seconds
        self._start_seconds = configuration.ttl_seconds / 4
        self._guard_fences = guarding.fences
        self._fenced = False
        self.charges: Mapping[str, Charge] = {}

    @property
    def guard_ticks(self) -> bool:
        """Whether the guard has ticked lately."""
        return self._guarding.fresh

    @property
    def guard_fences(self) -> int:
        """How often the guard has fenced."""
        return self._guarding.fences

    def may_write(self) -> bool:
        """Whether a writer may run now: as the guard knows it, so that nothing is started that the guard would not stop."""
        until = self._guarding.pulse.get("deadline") / 1e9
        return self._authority.holding and self._guarding.fresh and boot_seconds() < until

    def may_start(self) -> bool:
        """Whether it is worth starting a writer: the lease is held, and not about to end."""
        return self.may_write() and self._guarding.pulse.get("deadline") / 1e9 - boot_seconds() > self._start_seconds

    def begin(self) -> None:
        """Arm what may have been left running as a writer, and see a guard tick."""
        if self._guarding.pulse.found and (before := self._guarding.pulse.get("deadline")):
            self._authority.inherit(before / 1e9 + self._reserve_seconds)
        for charge in self.charges.values():
            if self._authority.role(charge.name) in (Role.WRITER, Role.BARRED):
                charge.arm()
        self._set_deadline()
        until = time.monotonic() + 10
        while not self._guarding.watch() and time.monotonic() < until:
            time.sleep(0.01)

    def run(self, ended: threading.Event) -> None:
        """Until ended."""
        while not ended.is_set():
            try:
                self.tick()
            except Exception as defect:  # this thread must not die: the guard still fences at the deadline, but nobody would renew it
                print(f"agent: the keeper met {type(defect).__name__}: {defect}; it goes on", file=sys.stderr, flush=True)
            self._authority.changed.wait(self._tick_seconds)
            self._authority.changed.clear()

    def tick(self) -> None:
        """One look."""
        self._guarding.watch()
        until = self._set_deadline()
        if boot_seconds() >= until and any(charge.armed for charge in self.charges.values()):
            self._fence("the lease is over" if self._authority.holding else "this region does not hold the right to write")
        else:
            self._fenced = False
        self._hear_guard()

    def _set_deadline(self) -> float:
        held = self._authority.deadline_seconds
        until = held - self._reserve_seconds if held else 0.0
        known = self._guarding.pulse.get("deadline") / 1e9
        if until < known or (until > known and self._guarding.fresh):
            self._guarding.set_deadline(until)
        return self._guarding.pulse.get("deadline") / 1e9

    def _fence(self, why: str) -> None:
        armed = [charge for charge in self.charges.values() if charge.armed]
        if self._fenced and not any(charge.store.alive() for charge in armed):
            return
        done = [fenced for charge in armed if (fenced := charge.fence_if_armed(limit_seconds=2.0)) is not None]
        killed = sum(each.killed for each in done)
        self._fenced = all(each.clean for each in done)
        if killed or not self._fenced:
            facts = [{"store": e.name, "how": e.how, "killed": e.killed, "seconds": round(e.seconds, 4), "clean": e.clean} for e in done]
            self._authority.record("fenced", why, fences=facts)

    def _hear_guard(self) -> None:
        fences = self._guarding.fences
        if fences != self._guard_fences:
            self._guard_fences = fences
            self._authority.record("guard-fenced", "the guard fenced at the deadline", clean=bool(self._guarding.pulse.get("clean")))

    def supervise(self, charge: Charge, ended: threading.Event) -> None:
        """Keep one store at what it should be doing. Runs in a thread of its own: a start takes its time."""
        while not ended.wait(self._tick_seconds):
            if charge.wanted() is not Wanted.WRITER or self.may_start() or charge.store.alive():
                try:
                    charge.look()
                except Exception as defect:  # a thread that dies would leave the store unattended; what it met is said, and tried again
                    charge.failed(f"{type(defect).__name__}: {defect}")
