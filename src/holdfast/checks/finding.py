"""What a rule says about a plan: one sentence, the places it speaks of, and how bad it is.

Severity goes by consequence:
- `error`: carrying the plan out would be unsafe or could never succeed; nothing may run on it;
- `warning`: a promise of the plan can't be kept as written; a drill may run and will show it;
- `note`: true and worth knowing; no promise breaks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.plan.problems import Place

if TYPE_CHECKING:
    from holdfast.checks.facts import Facts


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a plan that loads. `places`: both sides of a contradiction, the promise first."""

    code: str
    severity: Severity
    sentence: str
    places: tuple[Place, ...]
    hint: str

    @property
    def ended(self) -> str:
        """The sentence with its end: one full stop, also where it ends with words of the plan that bring their own."""
        return self.sentence if self.sentence.endswith((".", "!", "?", "…")) else f"{self.sentence}."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads who asks about a rule."""

    means: str
    why: str
    computed: str
    mend: str
    example: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One idea about plans. `code` is never used again for another idea."""

    code: str
    title: str
    apply: "Callable[[Facts], Iterable[Finding]]"
    explanation: Explanation
