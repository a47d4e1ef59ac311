"""A sentence for people, and the state that it speaks of: what every view of an incident is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and its state: done, running, needs-person, failed, unknown."""

    state: str
    text: str
