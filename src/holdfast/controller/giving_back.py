"""Carrying out a wish to give back what only the lost side held, bounded in time. What did not come to an answer is *unknown*.

Never here: which rows (a person chose them), and how a store takes them (the port).
"""

import asyncio
from collections import Counter

from holdfast.conduct.situation import GiveBack, Write
from holdfast.journal.kinds import Kind
from holdfast.ports.divergence import GivenBack, Giver

GIVE_SECONDS = 120.0


async def given_back(giver: Giver | None, move: GiveBack) -> Write:
    """The record of what became of each."""
    results: dict[str, GivenBack] = {}
    try:
        if giver is None:
            raise OSError("this controller has no store to give anything back to")
        async with asyncio.timeout(GIVE_SECONDS):
            given = giver.give_back(move.incident, move.only, move.region, (move.era, move.epoch))
            async for identifier, one in given:
                results.update({identifier: one})  # one by one: what was answered before a fault counts
        why = "it is not in the export"
    except Exception as error:  # A provider's own fault must not end the loop; what was not answered is unknown.
        why = f"not answered for: {str(error) or type(error).__name__}"
    left = GivenBack("unknown", why)
    told = [{"id": one, "result": results.get(one, left).result, "detail": results.get(one, left).detail} for one in move.only]
    counts = dict(Counter(one["result"] for one in told))
    return Write(Kind.REAPPLIED, move.incident, {"reapply": move.identifier, "region": move.region, "counts": counts, "results": told})
