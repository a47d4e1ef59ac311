"""What the agent asks of a store (PostgreSQL, Redis): start, stop, promote, follow. One implementation a technology.

Rules for every implementation:
- It starts processes only through the `Launcher` that it is given: the launcher puts each process into the store's control
  group before it runs, with the store's `directory` as working directory, in a session of its own. Fencing finds a store's
  processes, orphans too, by that group and that working directory, so a server must keep the directory (PostgreSQL's data
  directory, Redis' `dir`) and nothing that must survive a fence may sit there.
- Methods are blocking, called from one thread at a time (except `status`, `alive` and `heartbeat`, which may run beside anything
  and keep their own connections), bounded in time, and repeatable: doing again what is already so is success.
- A fence (every process killed with SIGKILL) may come at any moment, also in the middle of a method, which then raises.
- It decides nothing: whether this region may write is the agent's affair.

A store never keeps a lease, compares no orders, and writes no agent state.
"""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from holdfast.agent.exports import Export

Facts = Mapping[str, Any]
"""Plain JSON values."""

Replication = Literal["asynchronous", "synchronous"]


class StoreFailure(Exception):
    """A store could not do it. The text says what happened, where, and what to do next."""


class StoreRefusal(Exception):
    """A store must not do it (a required position is not reached, the data is not what the order assumes). Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a tool ended."""

    status: int
    output: str
    """Standard output and standard error together."""


class Launcher(Protocol):
    """The only way to start a process of a store. Adds `setpriv` when the store has an operating-system user."""

    def start(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Start a server that goes on: output appended to `log`. Raises StoreFailure when it cannot be started."""

    def run(self, arguments: Sequence[str], *, timeout_seconds: float, environment: Mapping[str, str] | None = None) -> Finished:
        """Run a tool to its end (initdb, pg_rewind, pg_basebackup). Raises StoreFailure on a time-out, after killing it."""


class Store(Protocol):
    """One store of a region."""

    @property
    def name(self) -> str:
        """`postgres` or `redis`: the prefix of its verbs and its key in `status`."""

    @property
    def directory(self) -> Path:
        """Working directory of every process of the store. Absolute and resolved."""

    def initialise_writer(self, era: int, epoch: int) -> None:
        """Create an empty store if the directory holds none. Called once in a region's life: at the first start of the initial holder."""

    def start_writer(self, era: int, epoch: int) -> Facts:
        """Run as writer under (era, epoch) and return once a write was committed (the writer mark). If it already runs as writer,
        only the mark is renewed. Takes back what `bar_writer` left, and bars again as soon as the server is up. Raises
        StoreRefusal when the data is a replica that was never promoted."""

    def start_replica(self) -> Facts:
        """Run as replica of the peer; an empty directory is first filled with a copy of the peer. Need not wait until it streams."""

    def stop_gracefully(self, timeout_seconds: float) -> Facts:
        """As writer: refuse new writes, end the sessions, send everything to a connected replica, stop. As replica: stop. Returns the last
        position: `{"postgres_lsn": "0/3000060"}` or `{"redis_offset": 4711}`, empty if unknown. Afterwards no process is left."""

    def promote(self, era: int, epoch: int, required_position: Facts) -> Facts:
        """Make the running replica the writer under (era, epoch), and return once the writer mark is committed. `required_position` holds
        what `stop_gracefully` of the source said (keys of other stores are ignored; empty: no requirement): not reached in bounded time
        → StoreRefusal before anything changes. Facts: the position promoted at, the last heartbeat replayed (`last_heartbeat_seconds`)."""

    def restore_aside(self) -> Facts:
        """Make a copy of the store out of the backup and the log that are kept in this region, beside the running store, and verify it.
        Nothing of the store is changed. Raises StoreRefusal when there is nothing to restore from."""

    def adopt_restored(self, era: int, epoch: int) -> Facts:
        """Put what `restore_aside` made in place of the store, keeping the original (`kept`), and make it the writer as `promote` does. If
        the store is the writer of that epoch already, that is success."""

    def become_replica(self) -> Facts:
        """Old writer, fenced and not running: rewind to the peer or take a new copy (the old data is kept aside until that is verified),
        then run as replica. Facts say which way (`how`: rewind | copy | already)."""

    def export_divergence(self, into: "Export") -> Facts:
        """Old writer, fenced and not running: write what only it holds, compared with the peer that writes now, and leave the data as
        `become_replica` wants it. Raises StoreFailure when that can't be done; what is there is not lost by trying."""

    def heartbeat(self, wall_seconds: float, epoch: int) -> None:
        """As writer: commit a heartbeat with that time stamp, bounded to about a second. Raises StoreFailure."""

    def status(self) -> Facts:
        """What is true now; never raises, at most about a second. At least `running` (bool), `role` (writer|replica|stopped|unknown),
        and where known `position`, `replaying_from`, `lag_seconds`, `last_heartbeat_seconds`, `detail`."""

    def alive(self) -> bool:
        """Whether the server process exists. Cheap (no connection): asked several times a second. Also true for a server that an
        earlier agent started (its pid file, checked against /proc)."""

    def bar_writer(self) -> None:
        """Leave a durable sign (`standby.signal`, `replicaof` in the configuration file) so that a start by anybody else is no writer.
        Called while the server runs and while it doesn't; fsynced before it returns."""

    def set_synchronous(self, mode: Replication) -> Facts:
        """As writer: a write waits for the replica before it is acknowledged, or not. Kept over a restart; a promotion begins without."""
