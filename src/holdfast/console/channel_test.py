"""The last quiet test as facts for readers: per person and channel what was handed over, what arrived, and why somebody was not reached."""

from typing import Any

from holdfast.conduct.situation import Situation
from holdfast.decision.channel_test import ChannelTest, Hand, Handed
from holdfast.decision.references import NOWHERE, SECOND, kind_of

_NOWHERE = "written to a file: this channel is bound to nothing that reaches anybody"
_SECOND_NOWHERE = "its first way did not take it, and its second is a file that nobody reads"


def channel_test(situation: Situation) -> dict[str, Any] | None:
    """None before the first test. `reached` of a person: whether a channel took it; `over` holds every channel, the tested ones first.
    `unreached`: who was not reached, and whom no channel has still to say something of. `broken_off`: an incident was opened meanwhile."""
    test = situation.installation.channel_test
    if test is None:
        return None
    people = [_person(situation, test, person) for person in test.people]
    return {
        "test": test.name,
        "by": test.by,
        "at_seconds": test.at_seconds,
        "until_seconds": test.until_seconds,
        "rings": list(test.rings),
        "under_way": test.is_under_way(situation.now),
        "broken_off": test.broken_off,
        "people": people,
        "unreached": [one["person"] for one in people if not one["reached"] and not _is_waited_for(one)],
    }


def _is_waited_for(one: dict[str, Any]) -> bool:
    return any(line["state"] == "under-way" for line in one["over"])


def _person(situation: Situation, test: ChannelTest, person: str) -> dict[str, Any]:
    known = situation.plan.people.get(person)
    over = [_tested(situation, test, hand) for hand in test.reaches if hand[1] == person]
    over += [_line(one.channel, "left-out", because=one.because, says=one.says) for one in test.left_out if one.person == person]
    answered = test.answers.get(person)
    return {
        "person": person,
        "name": person if known is None else known.name,
        "reached": answered is not None or any(line["state"] in ("handed-over", "delivered") for line in over),
        "acknowledged_seconds": None if answered is None else answered[0],
        "acknowledged_by": None if answered is None else answered[1],
        "over": over,
    }


def _tested(situation: Situation, test: ChannelTest, hand: Hand) -> dict[str, Any]:
    handed = test.handed.get(hand, Handed())
    at = handed.at_seconds or None
    match handed.outcome:
        case "sent" if kind_of(handed.said) == NOWHERE:
            return _line(hand[0], "not-bound", says=_SECOND_NOWHERE if handed.said.startswith(SECOND) else _NOWHERE, at=at)
        case "sent":
            state = "handed-over" if handed.delivered_seconds is None else "delivered"
            return _line(hand[0], state, at=at, delivered=handed.delivered_seconds)
        case "failed" | "unknown":
            return _line(hand[0], handed.outcome, says=handed.said, at=at)
        case _ if test.awaits(hand, situation.now):
            return _line(hand[0], "under-way")
        case _ if hand in test.handed:
            came = "an incident was opened before the controller knew" if test.broken_off else "the controller ended before it knew"
            return _line(hand[0], "unknown", says=f"{came}; it may have arrived")
        case _ if test.broken_off:
            return _line(hand[0], "failed", says="an incident was opened before it was handed over")
        case _:
            return _line(hand[0], "failed", says="it was not handed over: no controller was there")


def _line(
    channel: str, state: str, *, because: str | None = None, says: str = "", at: float | None = None, delivered: float | None = None
) -> dict[str, Any]:
    return {"channel": channel, "state": state, "because": because, "says": says, "at_seconds": at, "delivered_seconds": delivered}
