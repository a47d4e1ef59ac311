"""The production controller of an exercise with nothing to watch or act on: it is told that every function is lost, and tells people.

    python -m lab.told_controller PLAN LAB SCALE

Channels, links, receipts, journal and API are wired as `holdfast run` wires them; no region is there, so nothing is recovered.
"""

import asyncio
import logging
import sys
import time
from pathlib import Path

import uvicorn

from holdfast.app_controller import assemble
from holdfast.cli.reach import bindings_of
from holdfast.conduct.situation import FunctionHit, LossBound
from holdfast.controller.clock_steps import KeptClock
from holdfast.controller.watch import Seen, Watch
from holdfast.decision.replay import Installation
from holdfast.fencing.promise import Epoch
from holdfast.plan.loader import load
from holdfast.plan.model import Plan
from holdfast.ports.consent import Consent

EXERCISE = "exercise-told"


class EverythingLost(Watch):
    """Sees what a drill's observers see while the primary region is away."""

    def __init__(self, plan: Plan, clock: KeptClock) -> None:
        super().__init__(plan, plan.profiles["default"], "regional-outage", [], clock)
        self._plan = plan

    def now(self, known: Installation, consent: Consent) -> Seen:
        incident = known.open_incident()
        since = time.time() if incident is None else incident.impact_seconds
        hit = tuple(FunctionHit(name, since, True) for name in self._plan.functions) if incident is not None else ()
        return Seen((), hit, frozenset(), {}, LossBound(3.5, 40), None)


async def main(plan: Path, lab: Path, scale: float) -> None:
    loaded, bindings = load(plan), bindings_of(lab)
    assembled = assemble(loaded, bindings, scenario="regional-outage", profile="default", exercise=EXERCISE, scale=scale)
    controller, keeper, binding = assembled.controller, assembled.keeper, bindings.controller
    controller._watch = EverythingLost(loaded.plan, controller._clock)
    for region in keeper.unheard:
        keeper.hear(region, Epoch(0, 1), loaded.plan.primary_region(), None)
    controller.begin_term((keeper.epoch.era, keeper.epoch.epoch, keeper.holder), installation=bindings.installation)
    api = uvicorn.Config(assembled.api.application(), host=binding.host, port=binding.port, log_level="warning", access_log=False)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(uvicorn.Server(api).serve())
            group.create_task(controller.run())
    finally:
        await assembled.channels.close()
        assembled.journal.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
