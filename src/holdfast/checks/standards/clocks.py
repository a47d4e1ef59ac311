"""How soon regulators must be told, as the laws say it: what a plan's own deadlines are held against."""

from dataclasses import dataclass

HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline that counts from when the company becomes aware. `words`: how the regulation is named in plans.

    `stages`: words that say that an entry of a plan is this later report; an entry with none of them is the first notice.
    """

    words: tuple[str, ...]
    clause: str
    what: str
    seconds: float
    stages: tuple[str, ...] = ()

    def is_about(self, identifier: str, name: str) -> bool:
        """Whether a plan's regulation is this one."""
        said = set(f"{identifier} {name}".casefold().replace("-", " ").split())
        return bool(said & {*self.words}) and bool(said & {*self.stages} if self.stages else not said & _LATER)


_LATER = frozenset({"intermediate", "interim", "final"})
GDPR = Clock(("gdpr",), "article 33(1)", "notice of a personal data breach", 72 * HOUR_SECONDS)
# Each time limit of article 5(1) counts from the step before it. A plan's clock counts from becoming aware, so the steps before are added.
_FIRST_SECONDS = 24 * HOUR_SECONDS  # and four hours from classifying the incident as major, which may come sooner
_INTERMEDIATE_SECONDS = _FIRST_SECONDS + 72 * HOUR_SECONDS
_FINAL_SECONDS = _INTERMEDIATE_SECONDS + 28 * 24 * HOUR_SECONDS  # the shortest month
_LIMITS = "Delegated Regulation (EU) 2025/301, article 5(1)"
DORA = Clock(("dora",), f"article 19(4)(a); {_LIMITS}(a)", "the first notice of a major incident", _FIRST_SECONDS)
DORA_INTERMEDIATE = Clock(
    ("dora",), f"article 19(4)(b); {_LIMITS}(b)", "the intermediate report", _INTERMEDIATE_SECONDS, ("intermediate", "interim")
)
DORA_FINAL = Clock(("dora",), f"article 19(4)(c); {_LIMITS}(c)", "the final report", _FINAL_SECONDS, ("final",))
NIS_2 = Clock(("nis2",), "article 23(4)(a)", "an early warning", 24 * HOUR_SECONDS)
CLOCKS = (GDPR, DORA, DORA_INTERMEDIATE, DORA_FINAL, NIS_2)
