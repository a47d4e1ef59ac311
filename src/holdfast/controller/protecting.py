"""Carrying out a person's word about protection, bounded in time. What did not come to an answer is *unknown*.

Never here: whether it may be (conduct says), and how a store does it (the port).
"""

import asyncio

from holdfast.conduct.situation import SetMode, Write
from holdfast.journal.kinds import Kind
from holdfast.ports.action import Outcome, Result
from holdfast.ports.protection import ModeWish, Protector

SET_SECONDS = 20.0
_NEXT = "look at `holdfast status`, then give the order again"


async def mode_set(protector: Protector | None, move: SetMode) -> Write:
    """The record of what became of it."""
    outcome = await _answer(protector, move)
    named = {"ask": move.ask, "component": move.component, "region": move.region, "mode": move.mode}
    return Write(Kind.PROTECTION_CHANGED, "", {**named, "outcome": outcome.result.value, "detail": outcome.detail})


async def _answer(protector: Protector | None, move: SetMode) -> Outcome:
    if protector is None:
        return Outcome(Result.UNKNOWN, "this controller reaches no agent that could do it")
    try:
        async with asyncio.timeout(SET_SECONDS) as limit:
            outcome = await protector.set_mode(ModeWish(move.region, move.kind, move.mode, move.order))
    except Exception as error:  # A provider's own fault must not end the loop; what was not answered is unknown.
        if limit.expired():
            return _unknown(f"no answer within {SET_SECONDS:g} s, so whether it was done is not known")
        return _unknown(f"not answered: {str(error) or type(error).__name__}")
    return outcome if outcome.result is not Result.UNKNOWN else _unknown(outcome.detail)


def _unknown(why: str) -> Outcome:
    return Outcome(Result.UNKNOWN, f"{why}; {_NEXT}")
