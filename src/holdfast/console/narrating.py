"""Many records as few calm lines: hand-overs of one message are gathered for a moment and told together, everything else at once.

Rules: nothing is left out, only said together; what failed is never said together with what was sent. Pure: time is passed in.
"""

from collections.abc import Iterable, Iterator

from holdfast.communications.obligations import family_of
from holdfast.communications.places import stood_for
from holdfast.communications.recipients import EXERCISE_MAILBOX
from holdfast.console.narration import Line, line
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record

GATHER_SECONDS = 1.0
"""So long after the first of a message's hand-overs the others are waited for."""
_GATHERED = frozenset({Kind.NOTIFICATION_SENT, Kind.NOTIFICATION_FAILED, Kind.NOTIFICATION_UNKNOWN, Kind.NOTIFICATION_GIVEN_UP})
_MOST_NAMED = 3

Group = tuple[str, str]
"""Kind, and the key; or the incident and the family of rules, where several follow from the plan in one way (`vendor.NAME`)."""


class Narrator:
    """Tells a journal as it grows."""

    def __init__(self) -> None:
        self._gathered: dict[Group, list[Record]] = {}

    def told(self, records: Iterable[Record], now: float) -> Iterator[Line]:
        """What is to be said now; `now` is the wall clock."""
        for record in records:
            if record.kind in _GATHERED:
                self._gathered.setdefault(_group(record), []).append(record)
            elif (said := line(record)) is not None:
                yield said
        ripe = [group for group, found in self._gathered.items() if now - found[0].at_seconds >= GATHER_SECONDS]
        yield from map(_together, [self._gathered.pop(group) for group in ripe])

    def rest(self) -> Iterator[Line]:
        """What was gathered and not said yet."""
        left, self._gathered = tuple(self._gathered.values()), {}
        yield from map(_together, left)


def _group(record: Record) -> Group:
    message = str(record.body["message"])
    family = family_of(message)
    return record.kind, str(record.body["key"]) if family == message else f"{record.incident}/{family}"


def _together(records: list[Record]) -> Line:
    """One line for hand-overs of one message that came to the same."""
    last = records[-1]
    alone = line(last)
    if len(records) == 1 and alone is not None:
        return alone
    told = (one for record in records for one in stood_for(str(record.body["recipient"])))
    people = list(dict.fromkeys(one.removeprefix(EXERCISE_MAILBOX) for one in told))
    named = ", ".join(people[:_MOST_NAMED]) + (f" and {len(people) - _MOST_NAMED} more" if len(people) > _MOST_NAMED else "")
    channels = ", ".join(dict.fromkeys(str(record.body["channel"]) for record in records))
    message = family_of(str(last.body["message"]))
    match last.kind:
        case Kind.NOTIFICATION_SENT:
            return Line(last.at_seconds, "done", f"told {named} over {channels}: {message}")
        case Kind.NOTIFICATION_FAILED:
            return Line(last.at_seconds, "failed", f"could not tell {named} over {channels}: {message}, {last.body['reason']}")
        case Kind.NOTIFICATION_GIVEN_UP:
            return Line(last.at_seconds, "failed", f"GIVEN UP: {named} are not told over {channels}: {message}, {last.body['reason']}")
        case _:
            return Line(
                last.at_seconds, "unknown", f"nobody knows whether {named} were told over {channels}: {message}, {last.body['reason']}"
            )
