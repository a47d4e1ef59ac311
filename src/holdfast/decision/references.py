"""What a channel answered to a hand-over, as the journal holds it: which of its ways the message went, and of what kind that way is.

A reference begins with the kind of way and a colon (`smtp:<1@x>`). One that went by its channel's second way says so before that, and
behind it where the first may have delivered the message as well: `second:smtp:<1@x> (first unknown)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SECOND = "second:"
"""Before the reference of a message that went by its channel's second way."""
FIRST_UNKNOWN = " (first unknown)"
"""Behind it, where the first way may have delivered the message as well."""
NOWHERE = "file"
"""The kind of a way that is bound to a file, which reaches nobody."""


@dataclass(frozen=True, slots=True)
class WayTaken:
    """A way by which something went: of which channel, of what kind, and whether it is the channel's second."""

    channel: str
    kind: str
    second: bool


def way_taken(body: Mapping[str, Any]) -> WayTaken:
    """By which way went what a record says was sent."""
    reference = str(body.get("reference", ""))
    return WayTaken(body.get("over") or body["channel"], kind_of(reference), reference.startswith(SECOND))


def kind_of(reference: str) -> str:
    """Which kind of way a reference is of, be it its channel's first or second."""
    return reference.removeprefix(SECOND).removesuffix(FIRST_UNKNOWN).partition(":")[0]
