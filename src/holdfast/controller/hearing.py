"""Before a controller without memory promises or orders anything: hear what every region's agent knows.

An answer counts only for the controller that heard it, save what the grantor keeps. So as long as the journal holds nothing, every
region is asked, also those that a controller before heard, which died before it could write down what it learnt: else an epoch that
only they know of would be used again.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from holdfast.controller.keeper import Keeper
from holdfast.decision.replay import Installation
from holdfast.fencing.promise import Epoch
from holdfast.ports.clock import Clock
from holdfast.ports.journal_store import JournalForeign

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


def belongs_to(journal: Installation, bound: str, said: Mapping[str, Mapping[str, Any] | None]) -> str:
    """Which installation journal, bindings and agents belong to; empty when none of them names one. `said`: status of each region's agent,
    None for one that is silent (it will itself refuse what is not its own). Raises JournalForeign when two of them name different ones:
    the journal of another installation says who serves *there*, and following it would take a healthy writer its right to write.
    """
    named = [("the journal", journal.identity), ("the bindings file", bound)]
    named += [(f"the agent of {region}", str(status.get("installation") or "")) for region, status in said.items() if status is not None]
    named = [(who, which) for who, which in named if which]
    other = next(((who, which) for who, which in named if which != named[0][1]), None)
    if other is not None:
        raise JournalForeign(f"{named[0][0]} is of the installation {named[0][1]}, but {other[0]} of {other[1]}. {_USE_ITS_OWN}")
    serving = said.get(journal.serving)
    if journal.identity and serving is not None and not serving.get("installation") and not serving.get("unheard"):
        known, told = Epoch(int(serving["era"]), int(serving["epoch"])), Epoch(journal.era, journal.epoch)
        if known < told and journal.open_incident() is None:
            raise JournalForeign(
                f"the journal says that {journal.serving} holds epoch {told.era}.{told.epoch}, but the agent there belongs to no "
                f"installation yet and knows only {known.era}.{known.epoch}: this is the journal of other agents. {_USE_ITS_OWN}"
            )
    return named[0][1] if named else ""


_USE_ITS_OWN = (
    "Nothing was started and nothing was ordered. Put this installation's own journal into the state directory; when there is none, move "
    "the foreign one aside (keep it): a controller without a journal hears the agents first"
)


def _under_way(known: Mapping[str, Any]) -> Epoch | None:
    pledged = known.get("pledged")
    return Epoch(int(pledged["era"]), int(pledged["epoch"])) if isinstance(pledged, Mapping) else None


def _used(known: Mapping[str, Any]) -> list[Epoch]:
    named = [[known["era"], known["epoch"]], _under_way(known), known.get("withdrawn"), known.get("highest_order")]
    return [Epoch(int(values[0]), int(values[1])) for values in named if values]
