"""PostgreSQL as a store of the agent: writer, replica, and the ways between.

Rules:
- `standby.signal` stands in the data directory at all times except while a writer starts, so any start by anybody else is a standby's.
- The first transaction under a new epoch writes the mark `holdfast.writer`; a database is the writer of an epoch when that row says so.
- The agent's own writes (mark, heartbeat) never wait for a synchronous standby: they must tell the truth about this server alone.
- Sessions for `status` and `heartbeat` are their own, each bounded to about a second.

Never here: leases, orders, fences (see `holdfast.agent`), and how a directory is rewound or copied (`postgres_copy`).
"""

import contextlib
import functools
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.agent import postgres_copy as copy
from holdfast.agent import postgres_files as files
from holdfast.agent import postgres_queries as queries
from holdfast.agent import postgres_restore as restore
from holdfast.agent.exports import Export
from holdfast.agent.kept_session import KeptSession
from holdfast.agent.postgres_export import export
from holdfast.agent.postgres_files import PostgresConfiguration
from holdfast.agent.postgres_wire import Connection, StatementError, WireError, literal
from holdfast.agent.server_process import ServerProcess, until
from holdfast.agent.store import Facts, Launcher, Replication, StoreFailure, StoreRefusal

_START_TIMEOUT_SECONDS = 60.0
_POSITION_TIMEOUT_SECONDS = 5.0
_PROMOTE_TIMEOUT_SECONDS = 60.0
_FOLLOWING_TIMEOUT_SECONDS = 20.0


class PostgresStore:
    """Implements `holdfast.agent.store.Store`."""

    def __init__(self, configuration: PostgresConfiguration, launcher: Launcher) -> None:
        self._configuration = configuration
        self._launcher = launcher
        pid_file = configuration.data_directory / "postmaster.pid"
        self._process = ServerProcess(launcher, configuration.data_directory, pid_file, "postgres", configuration.log_file)
        self._heartbeats = KeptSession(functools.partial(self._quick_connect, "holdfast-heartbeat"))
        self._looks = KeptSession(functools.partial(self._quick_connect, "holdfast-status"))

    @property
    def name(self) -> str:
        """Prefix of its verbs."""
        return "postgres"

    @property
    def directory(self) -> Path:
        """The data directory."""
        return self._configuration.data_directory

    def initialise_writer(self, era: int, epoch: int) -> None:
        """Make an empty database with Holdfast's schema, unless there is one. The mark is written by `start_writer`."""
        self._make_directories()
        copy.initialise(self._configuration, self._launcher, self._process)

    def start_writer(self, era: int, epoch: int) -> Facts:
        """Run as writer; returns once the mark is committed."""
        if not self._process.alive():
            state = copy.control_data(self._configuration, self._launcher).get("Database cluster state", "")
            if "recovery" in state:
                raise StoreRefusal(f"the data in {self.directory} is a replica's ({state}) and was never promoted; it must not be written")
            files.set_standby_names_if_absent(self._configuration)
            (self.directory / "standby.signal").unlink(missing_ok=True)
            try:
                self._start(files.server_options(self._configuration))
                self._process.wait_until(lambda: copy.accepts(self._configuration), _START_TIMEOUT_SECONDS, "it accepted sessions")
            finally:
                self.bar_writer()
        with self._connect() as session:
            if session.query("SELECT pg_is_in_recovery()", 5).one()[0] == "t":
                raise StoreRefusal("PostgreSQL runs as a replica; promote it instead")
            session.query(queries.mark_sql(era, epoch, self._configuration.region), 10)
            queries.ensure_slot(session, self._configuration.slot)
        return {"position": {}, "epoch": epoch}

    def start_replica(self) -> Facts:
        """Run as replica of the peer; an empty directory is first filled with a copy."""
        kept = None
        self._make_directories()
        if not self._process.alive():
            if files.is_empty(self.directory) or self._configuration.rewinding_sign.exists():
                kept = copy.take_copy(self._configuration, self._launcher)
            self._start_as_replica()
        return {"role": "replica", "kept": str(kept) if kept else None}

    def stop_gracefully(self, timeout_seconds: float) -> Facts:
        """A fast shutdown: sessions end, and the server waits until its connected replicas have everything."""
        before = self.status() if self._process.alive() else {}
        self._process.stop(signal.SIGINT, timeout_seconds)
        self.close()
        control = copy.control_data(self._configuration, self._launcher)
        if control.get("Database cluster state") != "shut down":
            return {}  # a replica's, or not a clean end: no position that a writer could be held to
        return {"postgres_lsn": control["Latest checkpoint location"], "postgres_replica_connected": bool(before.get("replicas"))}

    def promote(self, era: int, epoch: int, required_position: Facts) -> Facts:
        """Make the running replica the writer; returns once the mark is committed."""
        if not self._process.alive():
            raise StoreFailure(f"PostgreSQL in {self.directory} does not run, so it cannot be promoted; see {self._process.log}")
        started = time.monotonic()
        with self._connect() as session:
            if session.query("SELECT pg_is_in_recovery()", 5).one()[0] == "t":
                self._require_position(session, required_position)
                self._turn(session)
                how = "promoted"
            else:
                how = self._already(session, era, epoch)
            writable = time.monotonic()
            position, last = session.query(queries.last_heartbeat_sql(epoch), 5).one()
            session.query(queries.mark_sql(era, epoch, self._configuration.region), 10)
            marked = time.monotonic()
            queries.ensure_slot(session, self._configuration.slot)
        self.bar_writer()
        threading.Thread(target=self._checkpoint, name="postgres-checkpoint", daemon=True).start()
        return {
            "how": how,
            "position": {"postgres_lsn": position},
            "last_heartbeat_seconds": float(last) if last is not None else None,
            "promote_seconds": round(writable - started, 4),
            "mark_seconds": round(marked - writable, 4),
        }

    def restore_aside(self) -> Facts:
        """A verified copy out of base backup and archived log, unless this server is a writer already."""
        if self._process.alive() and self.status()["role"] == "writer":
            return {"how": "already"}
        return {"how": "restored", **restore.restore_aside(self._configuration, self._launcher)}

    def adopt_restored(self, era: int, epoch: int) -> Facts:
        """Stop the replica, swap the copy in, start it on the archive, and promote it."""
        if self._process.alive() and self.status()["role"] == "writer":
            return self.promote(era, epoch, {})
        self._process.stop(signal.SIGINT, 60)
        self.close()
        kept = restore.swap_in(self._configuration)
        self._start(restore.recovery_options(self._configuration, self._launcher))
        self._process.wait_until(lambda: copy.accepts(self._configuration), _START_TIMEOUT_SECONDS, "it accepted sessions")
        return {**self.promote(era, epoch, {}), "kept": str(kept)}

    def become_replica(self) -> Facts:
        """Rewind to the peer, or take a new copy of it, then follow it."""
        self._make_directories()
        if self._process.alive():
            if self.status()["role"] != "replica":
                raise StoreRefusal("PostgreSQL still runs as a writer here; fence it before it becomes a replica")
            if self._follows_within(1.0):
                return {"how": "already", "kept": None}
            self._process.stop(signal.SIGINT, 60)
        started = time.monotonic()
        reason = f"{self.directory} was empty"
        if not files.is_empty(self.directory):
            try:
                said = copy.rewind(self._configuration, self._launcher, self._process)
                self._start_as_replica()
                if self._follows_within(_FOLLOWING_TIMEOUT_SECONDS):
                    return {"how": "rewind", "detail": said, "kept": None, "seconds": round(time.monotonic() - started, 3)}
                reason = f"after pg_rewind it did not follow the peer within {_FOLLOWING_TIMEOUT_SECONDS:g} s: {self._process.last_words()}"
            except copy.CopyFailure as error:
                reason = str(error)
            self._process.stop(signal.SIGINT, 60)
        kept = copy.take_copy(self._configuration, self._launcher)
        self._start_as_replica()
        if not self._follows_within(_FOLLOWING_TIMEOUT_SECONDS):
            raise StoreFailure(
                f"the new copy does not follow the peer; its log {self._process.log} ends with: {self._process.last_words()}"
            )
        return {"how": "copy", "detail": reason, "kept": str(kept) if kept else None, "seconds": round(time.monotonic() - started, 3)}

    def export_divergence(self, into: Export) -> Facts:
        """What the writer lacks, row by row, out of this directory itself."""
        if self._process.alive():
            raise StoreRefusal("PostgreSQL still runs here; fence it before what only it holds is exported")
        return export(self._configuration, self._launcher, self._process, into)

    def heartbeat(self, wall_seconds: float, epoch: int) -> None:
        """Commit a heartbeat on this server, whatever a standby does."""
        sql = queries.heartbeat_sql(self._configuration.region, wall_seconds, epoch)
        try:
            self._heartbeats.use(lambda session: session.query(sql, 0.9))
        except (ConnectionError, StatementError) as error:
            raise StoreFailure(f"no heartbeat was committed to PostgreSQL: {error}") from error

    def status(self) -> Facts:
        """What is true now."""
        restorable = {"restorable_seconds": restore.restorable_seconds(self._configuration)}
        if not self._process.alive():
            return {**queries.PostgresStatus(running=False, role="stopped").facts(), **restorable}
        try:
            return {**self._looks.use(queries.read_status).facts(), **restorable}
        except (ConnectionError, StatementError) as error:
            return {**queries.PostgresStatus(running=True, role="unknown", detail=str(error)).facts(), **restorable}

    def alive(self) -> bool:
        """Whether the postmaster exists."""
        return self._process.alive()

    def bar_writer(self) -> None:
        """Let any start be a standby's."""
        files.bar(self._configuration)

    def set_synchronous(self, mode: Replication) -> Facts:
        """Set or relax the standby names; returns when every session obeys."""
        names = files.standby_names_setting(self._configuration, mode == "synchronous")
        with self._connect() as session:
            self._set_standby_names(session, names)
        return {"mode": mode}

    def _start(self, options: Sequence[str]) -> None:
        self._make_directories()
        files.write_password_file(self._configuration)
        arguments = [self._configuration.program("postgres"), "-D", str(self.directory)]
        self._process.start([*arguments, *options], environment={"LC_ALL": "C.UTF-8"})

    def _start_as_replica(self) -> None:
        self.bar_writer()
        self._start(copy.replica_options(self._configuration, self._launcher))
        self._process.wait_until(lambda: copy.accepts(self._configuration), _START_TIMEOUT_SECONDS, "it accepted sessions")
        with self._connect() as session:  # a slot left from its time as a writer would hold old WAL for ever
            queries.drop_slot(session, self._configuration.slot)

    def _make_directories(self) -> None:
        for directory in (self.directory, self._configuration.archive_directory):
            if not directory.exists():
                directory.mkdir(parents=True, mode=0o700)
                files.own(directory, self._configuration.os_user)

    def _require_position(self, session: Connection, required: Facts) -> None:
        wanted = required.get("postgres_lsn")
        if wanted is None:
            return
        sql = f"SELECT pg_last_wal_replay_lsn() >= {literal(str(wanted))}::pg_lsn, pg_last_wal_replay_lsn()"
        answer: tuple[str | None, ...] = ("f", None)
        for _ in until(_POSITION_TIMEOUT_SECONDS):
            answer = session.query(sql, 5).one()
            if answer[0] == "t":
                return
        raise StoreRefusal(
            f"this replica has replayed up to {answer[1]}, but the source stopped at {wanted}: promoting would lose acknowledged writes. "
            "Start the source again as a replica's source, or order the promotion as ungraceful"
        )

    def _turn(self, session: Connection) -> None:
        # Names that came with a rewind or copy from the old writer would let the first commits wait for a standby that isn't there.
        self._set_standby_names(session, "")
        session.query("SELECT pg_promote(false)", 10)
        for _ in until(_PROMOTE_TIMEOUT_SECONDS, every_seconds=0.005):
            if session.query("SELECT pg_is_in_recovery()", 5).one()[0] == "f":
                return
        raise StoreFailure(
            f"PostgreSQL took the promotion but is still in recovery after {_PROMOTE_TIMEOUT_SECONDS:g} s; see {self._process.log}"
        )

    def _already(self, session: Connection, era: int, epoch: int) -> str:
        """Out of recovery before this order: by an earlier attempt (go on), or because it has been the writer all along (refuse)."""
        mark = queries.read_mark(session)
        if mark is not None and mark[2] == self._configuration.region and mark[:2] != (era, epoch):
            raise StoreRefusal(f"PostgreSQL is no replica: it has been the writer of era {mark[0]}, epoch {mark[1]} here")
        if mark is not None and mark[:2] > (era, epoch):
            raise StoreRefusal(f"the data was written under era {mark[0]}, epoch {mark[1]}, which is higher than the order's")
        return "already"

    def _set_standby_names(self, session: Connection, names: str) -> None:
        if session.query("SHOW synchronous_standby_names", 5).one()[0] == names:
            return
        session.query(f"ALTER SYSTEM SET synchronous_standby_names = {literal(names)}", 10)
        session.query("SELECT pg_reload_conf()", 5)
        for _ in until(5.0, every_seconds=0.005):
            if session.query("SHOW synchronous_standby_names", 5).one()[0] == names:
                return
        raise StoreFailure("PostgreSQL did not take the new synchronous_standby_names within 5 s")

    def _follows_within(self, timeout_seconds: float) -> bool:
        """Whether it streams and has replayed what the peer had written when the streaming began."""
        goal = "0/0"
        for _ in until(timeout_seconds):
            with contextlib.suppress(ConnectionError, StatementError):
                look = functools.partial(queries.read_following, at_least=goal)
                written, reached = self._looks.use(look)
                if written is not None and goal != "0/0" and reached:
                    self._configuration.copying_sign.unlink(missing_ok=True)
                    return True
                goal = written if written is not None and goal == "0/0" else goal
            if not self._process.alive():
                return False
        return False

    def _checkpoint(self) -> None:
        # Nobody waits for it: it only makes the control file name the new timeline soon, for a rewind to come.
        with contextlib.suppress(WireError, StatementError, StoreFailure), self._connect() as session:
            session.query("CHECKPOINT", 300)

    def _quick_connect(self, application_name: str) -> Connection:
        return Connection(replace(self._configuration.address(), application_name=application_name), 0.9)

    def _connect(self) -> Connection:
        try:
            return Connection(self._configuration.address(), 5.0)
        except (WireError, StatementError) as error:
            raise StoreFailure(f"cannot log in to PostgreSQL at {self._configuration.host}:{self._configuration.port}: {error}") from error

    def close(self) -> None:
        """End the sessions for heartbeat and status; the next use opens new ones."""
        self._heartbeats.close()
        self._looks.close()
