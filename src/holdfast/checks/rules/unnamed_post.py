"""HF123: a person of the plan is a post without a name."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF123"


def _apply(facts: Facts) -> Iterator[Finding]:
    filling: dict[str, list[Place]] = {}
    for name, role in facts.plan.roles.items():
        for key, filler in (("primary", role.primary), ("backup", role.backup)):
            if filler is not None:
                filling.setdefault(filler, []).append(("roles", name, key))
    for name, person in facts.plan.people.items():
        if person.name.strip().casefold() == person.title.strip().casefold() and not person.exercise:
            sentence = f"'{person.name}' is a post and not a person: nobody knows who is called"
            yield Finding(CODE, Severity.WARNING, sentence, (("people", name, "name"), *filling.get(name, [])), "write who that is")


RULE = Rule(
    CODE,
    "every post has a person",
    _apply,
    Explanation(
        means="A person stands in the plan by title only.",
        why="A title doesn't answer the telephone.",
        computed="People whose name is the same as their title, and the roles that they fill.",
        mend="Write the person's name, e-mail and telephone.",
        example="{ name: Engineering Manager, title: Engineering Manager }",
    ),
)
