"""HF112: people who fill different roles share a telephone number: when it is engaged or lost, neither can be called."""

import re
from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.people import Occasion, fillers
from holdfast.plan.problems import Place

CODE = "HF112"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    filling = {person for role in plan.roles.values() for person in fillers(role, Occasion.INCIDENT)}
    by_number: dict[str, list[str]] = {}
    for identifier, person in plan.people.items():
        if person.phone is not None and identifier in filling:
            by_number.setdefault(re.sub(r"[^\d+]", "", person.phone), []).append(identifier)
    for people in by_number.values():
        if len(people) < 2:
            continue
        names = " and ".join(f"{plan.people[person].name} ({plan.people[person].title})" for person in people)
        places: tuple[Place, ...] = tuple(("people", person, "phone") for person in people)
        sentence = f"{names} are called under the same number, {plan.people[people[0]].phone}"
        yield Finding(CODE, Severity.WARNING, sentence, places, "give each a number of their own")


RULE = Rule(
    CODE,
    "every person can be called alone",
    _apply,
    Explanation(
        means="People with different roles share one telephone number.",
        why="When it is engaged or lost, neither can be called.",
        computed="Numbers of the people who fill roles, compared by their digits.",
        mend="Give each a number of their own.",
        example="two people with phone: +353 20 912 0141",
    ),
)
