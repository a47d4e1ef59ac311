"""Orders: the only things that effectors obey, and they only grow."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """Place of an act in all acts ever ordered: compared field by field, era first.

    `era` grows with each break-glass, `epoch` with each activation, `term` with each start of a controller,
    `step` with each intent within a term.
    """

    era: int
    epoch: int
    term: int
    step: int

    def as_list(self) -> list[int]:
        """The order as it stands in JSON."""
        return [self.era, self.epoch, self.term, self.step]

    @classmethod
    def from_list(cls, values: list[int]) -> "Order":
        """Inverse of `as_list`. Raises ValueError unless given four integers of at least 0."""
        if len(values) != 4 or any(type(value) is not int or value < 0 for value in values):
            raise ValueError(f"an order is four integers of at least 0, not {values!r}")
        return cls(*values)

    def as_text(self) -> str:
        """The order where only text can stand (a DNS record, an annotation): `0.2.5.17`."""
        return ".".join(map(str, self.as_list()))

    @classmethod
    def from_text(cls, text: str) -> "Order":
        """Inverse of `as_text`. Raises ValueError."""
        parts = text.strip().split(".")
        if not all(part.isascii() and part.isdigit() for part in parts):
            raise ValueError(f"an order is four integers joined by dots, not {text!r}")
        return cls.from_list([int(part) for part in parts])


class Verdict(StrEnum):
    """What an effector says to an order."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"
    """The very order that was accepted last: its effect may be there already, wholly, partly, or not at all."""
    REFUSED = "refused"


def accept(order: Order, highest: Order | None) -> Verdict:
    """Compare with the highest order that was durably seen. The caller makes an accepted order durable before it acts on it."""
    if highest is None or order > highest:
        return Verdict.ACCEPTED
    return Verdict.REPEATED if order == highest else Verdict.REFUSED
