"""HF157: the plan says that there is none of something, and gives it a value."""

from collections.abc import Iterator
from typing import Any

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.places import place_of, value_at
from holdfast.plan.problems import Place

CODE = "HF157"
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _apply(facts: Facts) -> Iterator[Finding]:
    absent = facts.plan.not_applicable
    written = facts.plan.model_dump(mode="json", by_alias=True, exclude_unset=True) if absent else {}
    for number, entry in enumerate(absent):
        place = place_of(entry.about, written)
        if place is not None and value_at(place, written) not in _NOTHING:
            sentence = f"the plan says that there is none of '{entry.about}' ({entry.says}), and gives it a value"
            places: tuple[Place, ...] = (("not_applicable", number), place)
            yield Finding(CODE, Severity.WARNING, sentence, places, "remove the value, or the entry of 'not_applicable'")


RULE = Rule(
    CODE,
    "what is not applicable has no value",
    _apply,
    Explanation(
        means="An entry of `not_applicable` and a value stand for the same place.",
        why="Only one of them can be true, and every other check takes the value for it.",
        computed="The place of every entry of `not_applicable`.",
        mend="Ask whoever wrote the source which holds, and remove the other.",
        example="not_applicable: [{ about: components.dns.rpo, says: N/A }], and components: { dns: { rpo: 5m } }",
    ),
)
