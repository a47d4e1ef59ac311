"""What a text says: a value, nothing, or that it isn't clear."""

import re
from dataclasses import dataclass

_ABSENT = re.compile(r"^(?:n/?a|not applicable|none|-+|–|—|stateless|)(?:\s*\([^\d]*\))?\.?$", re.I)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: `value` in the plan's form, None for nothing. `unclear` says why it is neither; `choices` what it could mean.

    `concluded`: what was taken for granted to get from the words to the value. `left_out`: words of the text that the value doesn't hold;
    who keeps the whole text beside the value needn't say so.
    """

    value: str | None = None
    unclear: str = ""
    choices: tuple[str, ...] = ()
    concluded: str = ""
    left_out: str = ""

    @property
    def clear(self) -> bool:
        """Whether it says one thing."""
        return not self.unclear

    @property
    def remark(self) -> str:
        """What a person should know of how the value came about, where the text isn't kept beside it."""
        return "; ".join(part for part in (self.concluded, f"'{self.left_out}' is left out" if self.left_out else "") if part)


NOTHING = Reading()


def absent(text: str) -> bool:
    """Whether a text says that there is nothing."""
    return bool(_ABSENT.match(text.strip()))
