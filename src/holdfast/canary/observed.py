"""What the observers saw, asked from them once, for a report. They keep ten minutes."""

import asyncio

from holdfast.health.observation import Observation
from holdfast.plan.bindings import Bindings
from holdfast.providers.http.observations import HttpObservationSource

ASK_SECONDS = 10.0
"""Time for one page of an observer's looks: nothing waits for it but the report."""


def observed(bindings: Bindings) -> tuple[tuple[Observation, ...], dict[str, str]]:
    """All looks in the order of time, and of each observer that was silent why."""
    return asyncio.run(_observed(bindings))


async def _observed(bindings: Bindings) -> tuple[tuple[Observation, ...], dict[str, str]]:
    looks: list[Observation] = []
    silent: dict[str, str] = {}
    for site, url in bindings.observers.items():
        source = HttpObservationSource(site, url, timeout_seconds=ASK_SECONDS, source_address=bindings.source_address)
        last = 0
        try:
            while page := await source.since(last):
                looks.extend(page)
                last = page[-1].sequence
        except (TimeoutError, OSError) as error:
            silent[site] = str(error) or f"no answer within {ASK_SECONDS:g} s"
        finally:
            source.close()
    return tuple(sorted(looks, key=lambda look: look.at_seconds)), silent
