"""How soon regulators must be told, as the laws say it: what a plan's own deadlines are held against."""

from dataclasses import dataclass

HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline that counts from when the company becomes aware. `words`: how the regulation is named in plans."""

    words: tuple[str, ...]
    clause: str
    what: str
    seconds: float

    def is_about(self, identifier: str, name: str) -> bool:
        """Whether a plan's regulation is this one."""
        return any(word in f"{identifier} {name}".casefold().replace("-", " ").split() for word in self.words)


GDPR = Clock(("gdpr",), "article 33(1)", "notice of a personal data breach", 72 * HOUR_SECONDS)
# Four hours from classifying the incident as major, and in any case a day from becoming aware: the plan's clock is the second.
DORA = Clock(("dora",), "article 19(4), delegated regulation 2025/301", "the first notice of a major incident", 24 * HOUR_SECONDS)
NIS_2 = Clock(("nis2",), "article 23(4)(a)", "an early warning", 24 * HOUR_SECONDS)
CLOCKS = (GDPR, DORA, NIS_2)
