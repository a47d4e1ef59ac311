"""A store in this agent's charge: started when it may run, restarted when it dies, fenced when it must not run.

Rules: it runs as writer only with the role, the lease, and a guard that ticks; as replica when its role says so; else not at all. The
writer is *armed* with the guard before it is started or promoted, and stays so until it is verified to be something else. Whoever starts,
stops or changes the store holds `lock`; a fence takes no lock at all.

Never here: what the lease is, what an order means.
"""

import threading
import time
from collections.abc import Callable
from enum import StrEnum

from holdfast.agent import fence
from holdfast.agent.authority import Authority
from holdfast.agent.fence import Fenced
from holdfast.agent.guarding import Guarding
from holdfast.agent.pulse import boot_seconds
from holdfast.agent.state import Role
from holdfast.agent.store import Store, StoreFailure, StoreRefusal
from holdfast.fencing.lease import HEARTBEAT_SECONDS

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_LONGEST_FENCE_SECONDS = 3.0


class Wanted(StrEnum):
    """What a store should be doing."""

    WRITER = "writer"
    REPLICA = "replica"
    NOTHING = "nothing"


class Charge:
    """One store."""

    def __init__(self, store: Store, target: fence.Target, authority: Authority, guarding: Guarding, may_write: Callable[[], bool]) -> None:
        self.store = store
        self.target = target
        self.lock = threading.Lock()
        self._fencing = threading.Condition()  # held for a moment only: a fence waits for nobody
        self._fences_under_way = 0
        self.problem = ""
        """Why it does not run although it should."""
        self._authority = authority
        self._guarding = guarding
        self._may_write = may_write
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._started_as = Wanted.NOTHING

    @property
    def name(self) -> str:
        """The store's name."""
        return self.store.name

    def wanted(self) -> Wanted:
        """What it should be doing now."""
        role = self._authority.role(self.name)
        if role in (Role.REPLICA, Role.PROMOTING):
            return Wanted.REPLICA
        return Wanted.WRITER if role is Role.WRITER and self._may_write() else Wanted.NOTHING

    # -- fencing: at any moment, from any thread -------------------------------------------------------------------------

    def fence(self, limit_seconds: float = 10.0) -> fence.Fenced:
        """Kill whatever belongs to it, verify, and leave its group frozen."""
        with self._fencing:
            self._fences_under_way += 1
        try:
            done = fence.fence(self.target, limit_seconds=limit_seconds)
            if done.clean:
                fence.close(self.target)
            return done
        finally:
            with self._fencing:
                self._fences_under_way -= 1
                self._fencing.notify_all()

    def fence_if_armed(self, limit_seconds: float) -> Fenced | None:
        """The same for whoever decided it some time ago: what was disarmed since is left alone."""
        with self._fencing:
            if not self.armed:
                return None
            self._fences_under_way += 1
        try:
            return self.fence(limit_seconds)
        finally:
            with self._fencing:
                self._fences_under_way -= 1
                self._fencing.notify_all()

    def arm(self) -> None:
        """It may be a writer from now on: the guard's deadline holds for it."""
        self._guarding.arm(self.name)

    def disarm(self) -> None:
        """It is verified to be no writer. Returns when no fence of it is under way any more, since that would kill what is started next."""
        self._guarding.disarm(self.name)
        with self._fencing:
            self._fencing.wait_for(lambda: self._fences_under_way == 0, timeout=_LONGEST_FENCE_SECONDS)

    @property
    def armed(self) -> bool:
        """Whether the guard's deadline holds for it."""
        return self._guarding.armed(self.name)

    # -- running it: one thread -------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Bring it to what it should be doing, if that can be tried now."""
        if not self.lock.acquire(blocking=False):
            return
        try:
            wanted, alive = self.wanted(), self.store.alive()
            self._bar_if_superseded(alive)
            if wanted is Wanted.NOTHING or boot_seconds() < self._not_before or (alive and self._started_as is wanted):
                return
            self._start(wanted, was_running=self._started_as is wanted)
        finally:
            self.lock.release()

    def _start(self, wanted: Wanted, *, was_running: bool) -> None:
        try:
            if wanted is Wanted.WRITER:
                self.arm()
                if not self._may_write():
                    return
                fence.open_group(self.target)
                epoch = self._authority.epoch
                self.store.start_writer(epoch.era, epoch.epoch)
            else:
                self._start_replica()
        except (StoreFailure, StoreRefusal) as failure:
            self.failed(f"as {wanted}: {failure}")
            return
        if wanted is Wanted.WRITER:
            why = "had died" if was_running else "the lease is held"
            self._authority.record("started", f"{self.name} runs as writer: {why}", store=self.name)
        self.problem, self._pause_seconds, self._started_as = "", _FIRST_PAUSE_SECONDS, wanted

    def _start_replica(self) -> None:
        if self.armed:
            # Whatever a broken promotion left running may be a writer: nothing is taken for a replica before it was stopped.
            if not self.fence().clean:
                raise StoreFailure(f"processes of {self.name} could not be killed: {self.target.directory}")
            self.store.bar_writer()
            self.disarm()
        fence.open_group(self.target)
        self.store.start_replica()

    def failed(self, problem: str) -> None:
        """Say so once, and try again later."""
        if problem != self.problem:
            self._authority.record("start-failed", f"{self.name} could not be started {problem}", store=self.name)
        self.problem = problem
        self._not_before = boot_seconds() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _bar_if_superseded(self, alive: bool) -> None:
        state = self._authority.state
        if alive or state.roles[self.name] is not Role.WRITER or state.memory.holder == state.region:
            return
        try:
            self.store.bar_writer()
        except (StoreFailure, StoreRefusal, OSError) as failure:
            self.problem = f"the sign that bars a start is not there: {failure}"
            return
        self._authority.set_role(self.name, Role.BARRED)

    def started_as(self, wanted: Wanted) -> None:
        """An order brought it to that."""
        self.problem, self._started_as = "", wanted

    # -- heartbeats ---------------------------------------------------------------------------------------------------------

    def beat(self, ended: threading.Event) -> None:
        """Commit a heartbeat every 0.2 s while it is the writer. Runs in a thread of its own."""
        while not ended.wait(HEARTBEAT_SECONDS):
            if self._authority.role(self.name) is Role.WRITER and self._may_write() and self._started_as is Wanted.WRITER:
                try:
                    self.store.heartbeat(time.time(), self._authority.epoch.epoch)
                except Exception as failure:  # this thread must not die while the store does
                    self.problem = str(failure)
                else:
                    self.problem = ""
