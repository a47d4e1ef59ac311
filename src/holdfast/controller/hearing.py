"""Before a controller without memory promises or orders anything: hear what every region's agent knows.

An answer counts only for the controller that heard it, save what the grantor keeps. So as long as the journal holds nothing, every
region is asked, also those that a controller before heard, which died before it could write down what it learnt: else an epoch that
only they know of would be used again.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from holdfast.controller.keeper import Keeper
from holdfast.fencing.promise import Epoch
from holdfast.ports.clock import Clock

HEAR_AGAIN_SECONDS = 0.5

Status = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""What the agent of a region says of itself, or None when it doesn't answer."""


async def hear(
    keeper: Keeper,
    regions: Iterable[str],
    status: Status,
    clock: Clock,
    waits_for: Callable[[frozenset[str]], None],
    *,
    journal_is_new: bool,
    attested: Callable[[], frozenset[str]] = frozenset,
) -> tuple[Epoch, int]:
    """Wait for everybody who must be heard. Returns the highest epoch that anybody has used, also in vain, and the highest term of a
    controller that anybody has obeyed: what is above both is free, and is obeyed. `attested`: regions for whose silent agents named
    people stand. What such an agent alone knows can't be told, so epochs go on in a new era, which is above all that it may know."""
    used, term = keeper.epoch, 0
    silent = frozenset(regions) if journal_is_new else keeper.unheard
    told: frozenset[str] = frozenset()
    while silent:
        for region in sorted(silent):
            known = await status(region)
            if known is None and region in attested():
                used = Epoch(max(used.era, keeper.epoch.era) + 1, used.epoch)
                keeper.hear(region, Epoch(-1, -1), "", None)
                silent -= {region}
            if known is None:
                continue
            used = Epoch(max(used.era, *(one.era for one in _used(known))), max(used.epoch, *(one.epoch for one in _used(known))))
            term = max(term, int((known.get("highest_order") or [0, 0, 0, 0])[2]))
            if region in keeper.unheard:
                keeper.hear(region, Epoch(int(known["era"]), int(known["epoch"])), str(known["holder"]), _under_way(known))
            silent -= {region}
        if silent and silent != told:
            told = silent
            waits_for(silent)
        if silent:
            await clock.sleep(HEAR_AGAIN_SECONDS)
    return max(used, keeper.epoch), term


def _under_way(known: Mapping[str, Any]) -> Epoch | None:
    pledged = known.get("pledged")
    return Epoch(int(pledged["era"]), int(pledged["epoch"])) if isinstance(pledged, Mapping) else None


def _used(known: Mapping[str, Any]) -> list[Epoch]:
    named = [[known["era"], known["epoch"]], _under_way(known), known.get("withdrawn"), known.get("highest_order")]
    return [Epoch(int(values[0]), int(values[1])) for values in named if values]
