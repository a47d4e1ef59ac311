"""Redis as a store of the agent: writer, replica, and the ways between.

Rules:
- `redis.conf` in the store's directory always names the peer with `replicaof`, so any start by anybody else is a replica's. A writer
  is started as the replica of nobody who answers, looked at, and only then told to be a master.
- The mark `holdfast:writer` names the region that wrote last. A region starts as writer only from data that carries its own name (or
  none yet); data with the peer's name is a replica's that was never promoted.
- The mark also says how many replicas a write needs (`replicas`): who writes waits for so many, whoever is connected. Nobody follows
  a writer that was just promoted, so its first mark says 0: unprotected; an order (`redis.synchronous`) makes it 1.
- Becoming a replica takes the peer's whole data; the own append-only files are kept aside until the next time.

Redis itself replicates asynchronously: that a write waits is up to the client that sends it (`WAIT`). It flushes to disk once a second
(`appendfsync everysec`): what that may lose is measured, not hidden.
Never here: leases, orders, fences (see `holdfast.agent`).
"""

import contextlib
import functools
import json
import signal
import time
from pathlib import Path
from typing import Any

from holdfast.agent import redis_files as files
from holdfast.agent.exports import Export
from holdfast.agent.kept_session import KeptSession
from holdfast.agent.redis_export import export
from holdfast.agent.redis_files import RedisConfiguration
from holdfast.agent.redis_wire import Connection, RedisError, RedisRefusal
from holdfast.agent.server_process import ServerProcess, make_durable, until
from holdfast.agent.store import Facts, Launcher, Replication, StoreFailure, StoreRefusal

MARK_KEY = "holdfast:writer"
HEARTBEAT_KEY = "holdfast:heartbeat"
_START_TIMEOUT_SECONDS = 60.0
_POSITION_TIMEOUT_SECONDS = 5.0
_FOLLOWING_TIMEOUT_SECONDS = 60.0


class RedisStore:
    """Implements `holdfast.agent.store.Store`."""

    def __init__(self, configuration: RedisConfiguration, launcher: Launcher) -> None:
        self._configuration = configuration
        self._process = ServerProcess(launcher, configuration.directory, configuration.pid_file, "redis-server", configuration.log_file)
        self._heartbeats = KeptSession(functools.partial(self._connection, 0.9))
        self._looks = KeptSession(functools.partial(self._connection, 0.9))

    @property
    def name(self) -> str:
        """Prefix of its verbs."""
        return "redis"

    @property
    def directory(self) -> Path:
        """Where it keeps its files."""
        return self._configuration.directory

    def initialise_writer(self, era: int, epoch: int) -> None:
        """Allow the first start without data, unless there is data."""
        files.make_directory(self._configuration)
        if not self._configuration.data.exists():
            self._configuration.fresh_sign.touch()
            make_durable(self._configuration.fresh_sign)

    def start_writer(self, era: int, epoch: int) -> Facts:
        """Run as writer; returns once the mark is set."""
        if not self._process.alive():
            if not self._configuration.data.exists() and not self._configuration.fresh_sign.exists():
                raise StoreRefusal(
                    f"{self.directory} holds no data: starting a writer here would empty its replicas. Make it a replica instead"
                )
            # Port 1 of the own address answers nobody: a replica of nothing, which serves what it has and takes no writes.
            self._start("--replicaof", self._configuration.host, "1")
        with self._connect() as session:
            mark = _read_mark(session)
            if session.information("replication", 2).get("role") != "master":
                if mark is not None and mark["region"] != self._configuration.region:
                    self._process.stop(signal.SIGTERM, 30)
                    raise StoreRefusal(f"the data in {self.directory} is a replica's of {mark['region']} and was never promoted")
                session.command("REPLICAOF", "NO", "ONE", timeout_seconds=5)
            self._mark(session, era, epoch)
        self._configuration.fresh_sign.unlink(missing_ok=True)
        return {"position": {}, "epoch": epoch}

    def start_replica(self) -> Facts:
        """Run as replica of the peer."""
        files.make_directory(self._configuration)
        if not self._process.alive():
            self._start()
        return {"role": "replica"}

    def stop_gracefully(self, timeout_seconds: float) -> Facts:
        """As writer: hold writes back, wait until connected replicas have everything, stop."""
        deadline = time.monotonic() + timeout_seconds
        if not self._process.alive():
            return {}
        facts: dict[str, Any] = {}
        with self._connect() as session:
            if session.information("replication", 2).get("role") == "master":
                session.command("CLIENT", "PAUSE", str(int(timeout_seconds * 1000) + 5000), "WRITE", timeout_seconds=5)
                facts = self._drained(session, deadline)
        self.close()
        # SIGTERM: Redis writes its append-only file out and waits for replicas (shutdown-timeout).
        self._process.stop(signal.SIGTERM, max(1.0, deadline - time.monotonic()))
        return facts

    def promote(self, era: int, epoch: int, required_position: Facts) -> Facts:
        """Make the running replica the writer; returns once the mark is set."""
        if not self._process.alive():
            raise StoreFailure(f"Redis in {self.directory} does not run, so it cannot be promoted; see {self._process.log}")
        started = time.monotonic()
        with self._connect() as session:
            mark = _read_mark(session)
            if session.information("replication", 2).get("role") == "master":
                self._refuse_unless_half_done(mark, era, epoch)
                how = "already"
            else:
                self._require_position(session, required_position)
                files.keep_replicas_needed(self._configuration, 0)
                session.command("REPLICAOF", "NO", "ONE", timeout_seconds=5)
                how = "promoted"
            last = None if how == "already" else _read_heartbeat(session)
            self._mark(session, era, epoch)
            position = session.information("replication", 2).get("master_repl_offset", "0")
        self.bar_writer()
        return {
            "how": how,
            "position": {"redis_offset": int(position)},
            "last_heartbeat_seconds": last,
            "promote_seconds": round(time.monotonic() - started, 4),
        }

    def restore_aside(self) -> Facts:
        """A Redis keeps no archive to restore from."""
        raise StoreRefusal("Redis keeps no log that it could be restored from; promote the replica, or start it empty by hand")

    def adopt_restored(self, era: int, epoch: int) -> Facts:
        """Nothing was restored."""
        raise StoreRefusal(f"nothing was restored that could become the writer of epoch {era}.{epoch}")

    def become_replica(self) -> Facts:
        """Follow the peer with its whole data; the own files are kept aside."""
        files.make_directory(self._configuration)
        if self._process.alive():
            if self.status()["role"] != "replica":
                raise StoreRefusal("Redis still runs as a writer here; fence it before it becomes a replica")
            if self._follows_within(1.0):
                return {"how": "already", "kept": None}
            self._process.stop(signal.SIGTERM, 30)
        started = time.monotonic()
        kept = files.put_aside(self._configuration)
        self._start()
        if not self._follows_within(_FOLLOWING_TIMEOUT_SECONDS):
            raise StoreFailure(
                f"Redis got no copy of the peer {self._configuration.peer_host}:{self._configuration.peer_port} within "
                f"{_FOLLOWING_TIMEOUT_SECONDS:g} s; its log {self._process.log} ends with: {self._process.last_words()}"
            )
        self._configuration.copying_sign.unlink(missing_ok=True)
        return {"how": "copy", "kept": str(kept) if kept else None, "seconds": round(time.monotonic() - started, 3)}

    def export_divergence(self, into: Export) -> Facts:
        """What the writer lacks, key by key, out of this directory itself."""
        if self._process.alive():
            raise StoreRefusal("Redis still runs here; fence it before what only it holds is exported")
        return export(self._configuration, self._process, into)

    def heartbeat(self, wall_seconds: float, epoch: int) -> None:
        """Set the heartbeat key."""
        try:
            self._heartbeats.use(lambda session: session.command("SET", HEARTBEAT_KEY, f"{wall_seconds:.6f}", timeout_seconds=0.9))
        except (ConnectionError, RedisRefusal) as error:
            raise StoreFailure(f"no heartbeat was written to Redis: {error}") from error

    def status(self) -> Facts:
        """What is true now."""
        if not self._process.alive():
            return {"running": False, "role": "stopped", "detail": ""}
        try:
            return self._looks.use(_read_status)
        except (ConnectionError, RedisRefusal, StoreFailure) as error:
            return {"running": True, "role": "unknown", "detail": str(error)}

    def alive(self) -> bool:
        """Whether the server process exists."""
        return self._process.alive()

    def bar_writer(self) -> None:
        """Let any start be a replica's."""
        if self.directory.is_dir():
            files.write_settings(self._configuration)

    def set_synchronous(self, mode: Replication) -> Facts:
        """Write into the mark how many replicas a write needs; returns when it stands there."""
        with self._connect() as session:
            mark = _read_mark(session)
            if (
                mark is None
                or mark["region"] != self._configuration.region
                or session.information("replication", 2).get("role") != "master"
            ):
                raise StoreRefusal(f"Redis in {self.directory} is not the writer of {self._configuration.region}")
            files.keep_replicas_needed(self._configuration, 1 if mode == "synchronous" else 0)
            self._mark(session, mark["era"], mark["epoch"])
        return {"mode": mode}

    def close(self) -> None:
        """End the sessions for heartbeat and status; the next use opens new ones."""
        self._heartbeats.close()
        self._looks.close()

    def _start(self, *overrides: str) -> None:
        files.write_settings(self._configuration)
        self._process.start([str(self._configuration.binary), str(self._configuration.settings_file), *overrides])
        self._process.wait_until(self._accepts, _START_TIMEOUT_SECONDS, "it had loaded its data")

    def _accepts(self) -> bool:
        try:
            with self._connection(1.0) as session:
                return session.command("PING", timeout_seconds=1.0) == "PONG"
        except (RedisError, RedisRefusal) as error:
            if isinstance(error, RedisRefusal) and error.code != "LOADING":
                raise StoreFailure(
                    f"Redis at {self._configuration.host}:{self._configuration.port} does not let the agent in: {error}"
                ) from error
            return False

    def _drained(self, session: Connection, deadline: float) -> dict[str, Any]:
        """The last position; from Redis 7 on the server itself waits for its replicas when it stops, before that it is done here."""
        replication = session.information("replication", 2)
        offset, connected = int(replication["master_repl_offset"]), bool(_replicas(replication))
        if int(session.information("server", 2).get("redis_version", "0").split(".")[0]) < 7:
            for _ in until(max(0.0, (deadline - time.monotonic()) / 2)):
                if all(int(one["offset"]) >= offset for one in _replicas(session.information("replication", 2))):
                    break
        return {"redis_offset": offset, "redis_replica_connected": connected}

    def _require_position(self, session: Connection, required: Facts) -> None:
        wanted = required.get("redis_offset")
        if wanted is None:
            return
        position = 0
        for _ in until(_POSITION_TIMEOUT_SECONDS):
            position = int(session.information("replication", 2).get("slave_repl_offset", "0"))
            if position >= int(wanted):
                return
        raise StoreRefusal(
            f"this replica has taken in {position} bytes of the source's log, but the source stopped at {wanted}: promoting would lose "
            "acknowledged writes. Let it follow the source again, or order the promotion as ungraceful"
        )

    def _refuse_unless_half_done(self, mark: dict[str, Any] | None, era: int, epoch: int) -> None:
        if mark is None:
            return
        written = (mark["era"], mark["epoch"])
        if mark["region"] == self._configuration.region and written != (era, epoch):
            raise StoreRefusal(f"Redis is no replica: it has been the writer of era {written[0]}, epoch {written[1]} here")
        if written > (era, epoch):
            raise StoreRefusal(f"the data was written under era {written[0]}, epoch {written[1]}, which is higher than the order's")

    def _mark(self, session: Connection, era: int, epoch: int) -> None:
        replicas = files.replicas_needed(self._configuration)
        mark = json.dumps({"era": era, "epoch": epoch, "region": self._configuration.region, "replicas": replicas})
        session.command("MSET", MARK_KEY, mark, HEARTBEAT_KEY, f"{time.time():.6f}", timeout_seconds=5)

    def _follows_within(self, timeout_seconds: float) -> bool:
        for _ in until(timeout_seconds):
            with contextlib.suppress(ConnectionError, RedisRefusal):
                if self._looks.use(_follows):
                    return True
            if not self._process.alive():
                return False
        return False

    def _connect(self) -> Connection:
        try:
            return self._connection(5.0)
        except (RedisError, RedisRefusal) as error:
            raise StoreFailure(f"cannot log in to Redis at {self._configuration.host}:{self._configuration.port}: {error}") from error

    def _connection(self, timeout_seconds: float) -> Connection:
        return Connection(self._configuration.host, self._configuration.port, self._configuration.password(), timeout_seconds)


def _read_mark(session: Connection) -> dict[str, Any] | None:
    text = session.command("GET", MARK_KEY, timeout_seconds=0.9)
    if not isinstance(text, str):
        return None
    try:
        mark = json.loads(text)
        written = {"era": int(mark["era"]), "epoch": int(mark["epoch"]), "region": str(mark["region"])}
        return {**written, "replicas": int(mark.get("replicas", 0))}
    except (ValueError, KeyError, TypeError) as error:
        raise StoreFailure(f"the key {MARK_KEY} holds no writer mark but {text[:80]!r}; set it right by hand") from error


def _read_heartbeat(session: Connection) -> float | None:
    text = session.command("GET", HEARTBEAT_KEY, timeout_seconds=0.9)
    try:
        return float(str(text)) if text is not None else None
    except ValueError:
        return None


def _replicas(replication: dict[str, str]) -> list[dict[str, str]]:
    """Connected replicas: `slave0:ip=…,port=…,state=online,offset=…,lag=…`."""
    lines = (
        replication[f"slave{index}"] for index in range(int(replication.get("connected_slaves", "0"))) if f"slave{index}" in replication
    )
    parsed = [dict(part.split("=", 1) for part in line.split(",")) for line in lines]
    return [replica for replica in parsed if replica.get("state") == "online"]


def _follows(session: Connection) -> bool:
    """Linked to the peer, and its data is in the own files."""
    linked = session.information("replication", 0.9).get("master_link_status") == "up"
    persistence = session.information("persistence", 0.9)
    return linked and all(persistence.get(f"aof_rewrite_{state}") == "0" for state in ("in_progress", "scheduled"))


def _read_status(session: Connection) -> Facts:
    replication = session.information("replication", 0.9)
    mark, last = _read_mark(session), _read_heartbeat(session)
    replica = replication.get("role") != "master"
    offset = int(replication.get("slave_repl_offset" if replica else "master_repl_offset", "0"))
    link_up = replication.get("master_link_status") == "up"
    return {
        "running": True,
        "role": "replica" if replica else "writer",
        "detail": "",
        "position": {"redis_offset": offset},
        "replaying_from": f"{replication.get('master_host')}:{replication.get('master_port')}" if replica and link_up else None,
        "lag_seconds": max(0.0, time.time() - last) if replica and last is not None else None,
        "last_heartbeat_seconds": last,
        "era": mark["era"] if mark else None,
        "epoch": mark["epoch"] if mark else None,
        "writer_region": mark["region"] if mark else None,
        "synchronous": mark["replicas"] > 0 if mark else None,
        "replicas": [f"{one.get('ip')}:{one.get('port')}" for one in _replicas(replication)],
        "link_up": link_up if replica else None,
    }
