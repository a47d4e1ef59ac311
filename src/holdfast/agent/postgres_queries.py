"""What the agent says to a PostgreSQL: marks, heartbeats, slots, and its status in one statement.

Who only receives the log for an archive calls itself `holdfast-archive`, and is no replica.
Every value stands in its text through `literal` or `int`. Never here: anything that changes which role the server has.
"""
# ruff: noqa: S608 - see above: the agent's own small client has no bound parameters

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holdfast.agent.postgres_wire import Connection, literal

_STATUS = """
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END,
       CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
                                                   (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,
       (SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver WHERE status = 'streaming'),
       (SELECT extract(epoch FROM max(at)) FROM holdfast.heartbeat),
       (SELECT extract(epoch FROM clock_timestamp() - max(at)) FROM holdfast.heartbeat),
       (SELECT era || ' ' || epoch || ' ' || region FROM holdfast.writer),
       (SELECT string_agg(application_name || '=' || sync_state, ',' ORDER BY application_name)
          FROM pg_stat_replication WHERE state = 'streaming' AND application_name <> 'holdfast-archive'),
       current_setting('synchronous_standby_names'),
       CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END
"""


@dataclass(frozen=True, slots=True)
class PostgresStatus:
    """What `status` says; `lag_seconds` is the age of the newest heartbeat that a replica has replayed."""

    running: bool
    role: str
    detail: str = ""
    position: dict[str, str] | None = None
    timeline: int | None = None
    replaying_from: str | None = None
    lag_seconds: float | None = None
    last_heartbeat_seconds: float | None = None
    era: int | None = None
    epoch: int | None = None
    writer_region: str | None = None
    replicas: Sequence[str] = ()
    """Connected replicas as `application_name=sync_state`."""
    synchronous: bool | None = None

    def facts(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self) | {"replicas": list(self.replicas)}


def read_status(session: Connection) -> PostgresStatus:
    """Ask, within 0.9 s."""
    in_recovery, position, timeline, sender, heartbeat, age, mark, replicas, names, pause = session.query(_STATUS, 0.9).one()
    era, epoch, region = mark.split(" ", 2) if mark else (None, None, None)
    replica = in_recovery == "t"
    return PostgresStatus(
        running=True,
        role="replica" if replica else "writer",
        position={"postgres_lsn": position} if position else None,
        timeline=int(timeline) if timeline else None,
        replaying_from=sender,
        lag_seconds=max(0.0, float(age)) if replica and age else None,
        last_heartbeat_seconds=float(heartbeat) if heartbeat else None,
        era=int(era) if era else None,
        epoch=int(epoch) if epoch else None,
        writer_region=region,
        replicas=replicas.split(",") if replicas else [],
        synchronous=bool(names),
        detail="" if pause in (None, "not paused") else f"replay is {pause}: see the server's log for the reason",
    )


def read_mark(session: Connection) -> tuple[int, int, str] | None:
    """Era, epoch and region of the writer mark, or None before the first."""
    rows = session.query("SELECT era, epoch, region FROM holdfast.writer", 5).rows
    if not rows:
        return None
    era, epoch, region = rows[0]
    return int(era or 0), int(epoch or 0), region or ""


def read_settings(session: Connection, names: Sequence[str]) -> dict[str, int]:
    """Values of whole-number settings."""
    rows = session.query(f"SELECT name, setting FROM pg_settings WHERE name IN ({', '.join(map(literal, names))})", 3).rows
    return {str(name): int(setting or 0) for name, setting in rows}


def read_following(session: Connection, at_least: str) -> tuple[str | None, bool]:
    """As a replica: what the peer said it has written (None: not streaming), and whether `at_least` has been replayed."""
    sql = (
        "SELECT (SELECT latest_end_lsn FROM pg_stat_wal_receiver WHERE status = 'streaming'), "
        f"pg_last_wal_replay_lsn() >= {literal(at_least)}::pg_lsn AND pg_get_wal_replay_pause_state() = 'not paused'"
    )
    end, reached = session.query(sql, 1.0).one()
    return end, reached == "t"


def mark_sql(era: int, epoch: int, region: str) -> str:
    """One transaction that writes the mark and a first heartbeat under it, waiting for nobody. A mark that is already so keeps its time."""
    return (
        "BEGIN; SET LOCAL synchronous_commit = local; "
        f"INSERT INTO holdfast.writer (era, epoch, region) VALUES ({int(era)}, {int(epoch)}, {literal(region)}) "
        "ON CONFLICT (only_row) DO UPDATE "
        "SET era = excluded.era, epoch = excluded.epoch, region = excluded.region, since = clock_timestamp() "
        "WHERE (writer.era, writer.epoch, writer.region) IS DISTINCT FROM (excluded.era, excluded.epoch, excluded.region); "
        f"{_heartbeat(region, 'clock_timestamp()', epoch)}; COMMIT"
    )


def heartbeat_sql(region: str, wall_seconds: float, epoch: int) -> str:
    """One transaction that writes a heartbeat, waiting for no standby."""
    return f"BEGIN; SET LOCAL synchronous_commit = local; {_heartbeat(region, f'to_timestamp({float(wall_seconds)!r})', epoch)}; COMMIT"


def last_heartbeat_sql(epoch: int) -> str:
    """The own position, and the newest heartbeat that came from writers of earlier epochs."""
    return f"SELECT pg_current_wal_insert_lsn(), (SELECT extract(epoch FROM max(at)) FROM holdfast.heartbeat WHERE epoch < {int(epoch)})"


def drop_slot(session: Connection, name: str) -> None:
    """Drop a slot that nobody uses, if it exists."""
    sql = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_name = "
    session.query(sql + literal(name), 5)


def ensure_slot(session: Connection, name: str) -> None:
    """Have a physical slot that keeps WAL from now on; one that lost its WAL is made anew."""
    found = session.query(f"SELECT wal_status FROM pg_replication_slots WHERE slot_name = {literal(name)}", 5).rows
    if found and found[0][0] == "lost":
        drop_slot(session, name)
    if not found or found[0][0] == "lost":
        session.query(f"SELECT pg_create_physical_replication_slot({literal(name)}, true)", 5)


def _heartbeat(region: str, at: str, epoch: int) -> str:
    return (
        f"INSERT INTO holdfast.heartbeat (source, at, epoch) VALUES ({literal(region)}, {at}, {int(epoch)}) "
        "ON CONFLICT (source) DO UPDATE SET at = excluded.at, epoch = excluded.epoch"
    )
