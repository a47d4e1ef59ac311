"""Carrying out a wish to give back what only the lost side held, bounded in time. What did not come to an answer is *unknown*.

Never here: which rows (a person chose them), and how a store takes them (the port).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping

from holdfast.conduct.situation import GiveBack, Write
from holdfast.journal.kinds import Kind
from holdfast.ports.divergence import GivenBack, Giver, Wish

GIVE_SECONDS = 120.0


async def given_back(giver: Giver | None, move: GiveBack) -> Write:
    """The record of what became of each."""
    results: Mapping[str, GivenBack] = {}
    left = GivenBack("unknown", "nobody answered for it")
    try:
        if giver is None:
            raise OSError("this controller has no store to give anything back to")
        async with asyncio.timeout(GIVE_SECONDS):
            results = await giver.give_back(Wish(move.incident, move.run, move.only, move.objections, move.region, (move.era, move.epoch)))
    except TimeoutError:
        left = GivenBack("unknown", f"no answer within {GIVE_SECONDS:g} s; asked for again, what is there already stays as it is")
    except Exception as error:  # A provider's own fault must not end the loop; what was not answered is unknown.
        left = GivenBack("unknown", f"not answered for: {str(error) or type(error).__name__}")
    told = [{"id": one, "result": results.get(one, left).result, "detail": results.get(one, left).detail} for one in move.only]
    counts = dict(Counter(one["result"] for one in told))
    return Write(Kind.REAPPLIED, move.incident, {"reapply": move.identifier, "region": move.region, "counts": counts, "results": told})
