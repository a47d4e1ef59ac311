"""Acting on the world: the port behind every block that a provider carries out.

Reading facts and changing the world are separate: `check` and `verify` never change anything. A time-out
or a lost connection is `unknown`, never `failed`: `failed` and `refused` are said only by the effector itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from holdfast.fencing.order import Order


class Mode(StrEnum):
    """Whether the source region cooperates (`graceful`: switchover) or is lost (`ungraceful`: failover)."""

    GRACEFUL = "graceful"
    UNGRACEFUL = "ungraceful"


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at one step: all that a provider may know about why it acts."""

    step: str
    block: str
    component: str | None
    source: str
    """Region that is being left."""
    target: str
    """Region that is to serve."""
    mode: Mode
    order: Order
    parameters: Mapping[str, Any] = field(default_factory=dict)
    incident: str = ""
    run: str = ""


class Answer(StrEnum):
    """What a look at the world says about a wished effect."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of looking: whether the effect is there, a sentence, and facts as plain JSON values."""

    answer: Answer
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Result(StrEnum):
    """What became of an act."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of acting. `refused`: the same again would not help (the effector has seen a higher order, or what is asked for would
    lose more than was approved, or can't be told by looking), so it is never tried again by itself: a person is asked at once."""

    result: Result
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Action(Protocol):
    """What one block does. The caller bounds each call in time and treats a time-out as *unknown*."""

    async def check(self, task: Task) -> Finding:
        """Whether the effect is already there. Reads only."""

    async def act(self, task: Task) -> Outcome:
        """Bring the effect about. Effectors compare `task.order` durably and refuse lower ones."""

    async def verify(self, task: Task) -> Finding:
        """Whether the effect does what it is for (a committed write, an answered request). Reads, or writes marked records."""
