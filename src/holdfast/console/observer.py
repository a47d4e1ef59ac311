"""One observer: looks at everything in rounds, keeps the last ten minutes, and hands out what it saw.

Rules: every probe has its own rhythm, spread over the interval; a look that still runs is not piled upon (a rhythm says how many
looks may wait at once). A probe's own fault is no observation: it is logged, once for each kind, and the others go on. Sequence
numbers begin at the start's milliseconds since 1970, so they also grow over a restart. What is kept is bounded.
Never here: judging what was seen, or knowing what a probe looks at.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from holdfast.health.observation import Observation
from holdfast.ports.clock import Clock
from holdfast.ports.probe import Probe

log = logging.getLogger(__name__)

KEEP_SECONDS = 600.0
MOST_KEPT = 100_000
MOST_PER_ANSWER = 5_000


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How one probe is used. `most_at_once`: how many of its looks may wait for an answer at the same time."""

    probe: Probe
    most_at_once: int = 1


class Observer:
    """Runs the probes of one site and keeps what they saw."""

    def __init__(self, site: str, rhythms: Sequence[Rhythm], every_seconds: float, clock: Clock) -> None:
        self.site = site
        self._rhythms = rhythms
        self._every_seconds = every_seconds
        self._clock = clock
        self._kept: deque[Observation] = deque(maxlen=MOST_KEPT)
        self._sequence = int(clock.wall_seconds() * 1000)
        self._faults: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as group:
            for place, rhythm in enumerate(self._rhythms):
                group.create_task(self._keep_looking(rhythm, self._every_seconds * place / len(self._rhythms)))

    def since(self, sequence: int) -> list[Observation]:
        """What was seen after that sequence number, oldest first, at most `MOST_PER_ANSWER`."""
        found: list[Observation] = []
        for observation in reversed(self._kept):
            if observation.sequence <= sequence:
                break
            found.append(observation)
        return found[::-1][:MOST_PER_ANSWER]

    async def _keep_looking(self, rhythm: Rhythm, offset_seconds: float) -> None:
        await self._clock.sleep(offset_seconds)
        waiting: set[asyncio.Task[None]] = set()
        next_at = self._clock.steady_seconds()
        try:
            while True:
                if len(waiting) < rhythm.most_at_once:
                    task = asyncio.create_task(self._look(rhythm.probe))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                # A round that comes too late is left out, not made up for.
                now = self._clock.steady_seconds()
                next_at = max(next_at + self._every_seconds, now)
                await self._clock.sleep(next_at - now)
        finally:
            for task in tuple(waiting):
                task.cancel()

    async def _look(self, probe: Probe) -> None:
        try:
            observation = await probe.observe()
        except Exception as fault:  # A probe's own fault says nothing about the world and must not end the others.
            kind = f"{type(probe).__name__}: {fault!r}"
            if kind not in self._faults:
                self._faults.add(kind)
                log.exception("a fault in the probe %s; it is left out and tried again", type(probe).__name__)
            return
        self._sequence += 1
        self._kept.append(replace(observation, sequence=self._sequence))
        oldest = self._clock.wall_seconds() - KEEP_SECONDS
        while self._kept and self._kept[0].at_seconds < oldest:
            self._kept.popleft()


def application(observer: Observer) -> Starlette:
    """The observer's HTTP face: `GET /v1/observations?after=N` and `GET /healthz`. Both only read."""

    async def observations(request: Request) -> Response:
        asked = request.query_params.get("after", "0")
        if not asked.isascii() or not asked.isdigit() or len(asked) > 18:
            return PlainTextResponse(f"after: must be a sequence number of at least 0, not {asked[:40]!r}\n", 400)
        found = [asdict(observation) for observation in observer.since(int(asked))]
        body = json.dumps({"observer": observer.site, "observations": found}, separators=(",", ":"), default=str)
        return Response(body, media_type="application/json")

    async def healthz(request: Request) -> Response:
        del request
        return PlainTextResponse("ok\n")

    return Starlette(routes=[Route("/v1/observations", observations), Route("/healthz", healthz)])
