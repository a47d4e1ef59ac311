"""Looking at a region's Redis: which role it has, whether it takes writes, and how far a replica is behind.

A master is healthy only when it has taken this observer's own write. A replica is as old as the heartbeat that it holds.
Never here: judging.
"""

from typing import Any

from redis.asyncio import Redis

from holdfast.health.observation import Observation, Seen, Subject
from holdfast.plan.bindings import RedisBinding
from holdfast.ports.clock import Clock
from holdfast.providers.redis.session import HEARTBEAT_KEY, MARK_KEY, ServerRefusal, Session, read_mark

_KEPT_SECONDS = 3600
"""How long a probe's own key stays after its last look."""


class RedisProbe:
    """Implements `holdfast.ports.probe.Probe` for one region's Redis, from one site."""

    def __init__(self, observer: str, component: str, region: str, binding: RedisBinding, clock: Clock, *, timeout_seconds: float) -> None:
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
            facts = await self._session.use(lambda client: self._look(client, at_seconds), self._timeout_seconds)
        except ServerRefusal as refusal:
            seen, detail = Seen.DOWN, str(refusal)
        except (TimeoutError, ConnectionError) as error:
            seen, detail = Seen.SILENT, str(error)
        return Observation(
            observer=self._observer,
            sequence=0,
            at_seconds=at_seconds,
            region=self._region,
            subject=Subject.REDIS,
            name=self._component,
            seen=seen,
            latency_seconds=self._clock.steady_seconds() - started,
            detail=detail,
            facts=facts,
        )

    async def _look(self, client: Redis, at_seconds: float) -> dict[str, Any]:
        pipeline = client.pipeline(transaction=False)
        pipeline.info("replication")
        pipeline.mget(MARK_KEY, HEARTBEAT_KEY)
        replication, (mark_text, heartbeat_text) = await pipeline.execute()
        master = replication.get("role") == "master"
        facts: dict[str, Any] = {"role": "master" if master else "replica"}
        facts["offset"] = int(replication.get("master_repl_offset" if master else "slave_repl_offset") or 0)
        facts |= read_mark(mark_text) or {}
        if heartbeat_text is not None:
            facts["last_heartbeat_seconds"] = float(heartbeat_text)
        if not master:
            facts["link_up"] = replication.get("master_link_status") == "up"
            if heartbeat_text is not None:
                facts["lag_seconds"] = max(0.0, at_seconds - float(heartbeat_text))
            return facts
        facts["replicas"] = int(replication.get("connected_slaves") or 0)
        await client.set(f"holdfast:probe:{self._observer}", f"{at_seconds:.6f}", ex=_KEPT_SECONDS)
        return facts
