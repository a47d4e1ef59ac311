"""Looking at a region's PostgreSQL: which role it has, whether it commits, and how far a standby is behind.

A primary is healthy only when it has committed this observer's heartbeat. That write waits for no synchronous standby: it must not add to
the sessions that hang when there is none (transactions of the functions show that). A standby is as old as the newest heartbeat that it has
replayed, of whatever source. Never here: judging.
"""

from typing import Any

from psycopg import AsyncConnection

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.plan.bindings import PostgresBinding
from holdfast.ports.clock import Clock
from holdfast.providers.postgres.session import ServerRefusal, Session

_LOOK = """
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
                                                   (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,
       (SELECT max(at) FROM holdfast.heartbeat),
       extract(epoch FROM clock_timestamp() - (SELECT max(at) FROM holdfast.heartbeat))::float8,
       (SELECT era FROM holdfast.writer), (SELECT epoch FROM holdfast.writer), (SELECT region FROM holdfast.writer),
       CASE WHEN pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn()
            THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END,
       (SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'),
       (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'),
       (SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname = current_database())
"""

_BEAT = """
INSERT INTO holdfast.heartbeat (source, at, epoch) VALUES (%s, to_timestamp(%s), holdfast.current_epoch())
ON CONFLICT (source) DO UPDATE SET at = excluded.at, epoch = excluded.epoch
"""


class PostgresProbe:
    """Implements `holdfast.ports.probe.Probe` for one region's PostgreSQL, from one site."""

    def __init__(
        self, observer: str, component: str, region: str, binding: PostgresBinding, clock: Clock, *, timeout_seconds: float
    ) -> None:
        self._observer = observer
        self._component = component
        self._region = region
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._session = Session(binding, f"holdfast-probe-{observer}")

    async def close(self) -> None:
        """Let go of the session."""
        await self._session.close()

    async def observe(self) -> Observation:
        """One look."""
        at_seconds, started = self._clock.wall_seconds(), self._clock.steady_seconds()
        seen, detail, facts = Seen.UP, "", {}
        try:
            facts = await self._session.use(lambda session: self._look(session, at_seconds), self._timeout_seconds)
        except ServerRefusal as refusal:
            seen, detail = Seen.DOWN, str(refusal)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = Seen.SILENT, str(error)
        return Observation(
            observer=self._observer,
            sequence=0,
            at_seconds=at_seconds,
            region=self._region,
            subject=Subject.POSTGRES,
            name=self._component,
            seen=seen,
            latency_seconds=self._clock.steady_seconds() - started,
            detail=detail,
            facts=facts,
        )

    async def _look(self, session: AsyncConnection[Any], at_seconds: float) -> dict[str, Any]:
        row = await (await session.execute(_LOOK)).fetchone()
        if row is None:
            raise ServerRefusal("the server answered without a row")
        standby, timeline, newest, age, era, epoch, writer, replay_lag, streaming, replicas, rows_written = row
        facts: dict[str, Any] = {"role": "standby" if standby else "primary", "timeline": timeline}
        facts |= {name: value for name, value in (("era", era), ("epoch", epoch), ("writer", writer)) if value is not None}
        if newest is not None:
            facts |= {"heartbeat_age_seconds": max(0.0, age), "last_heartbeat_seconds": newest.timestamp()}
        if standby:
            facts["streaming"] = streaming > 0
            # Nothing left to replay of what came is no lag of replaying; what did not come shows in the heartbeat's age.
            facts["replay_lag_seconds"] = max(0.0, replay_lag or 0.0)
            return facts
        facts |= {"replicas": replicas, "rows_written": rows_written}
        async with session.transaction():
            await session.execute("SET LOCAL synchronous_commit = local")
            await session.execute(_BEAT, (self._observer, at_seconds))
        return facts
