"""HF108: the plan's people can't satisfy the plan's own approval rule.

An incident needs real people, so too few of them is an error: the run would wait for ever. As many as needed and not one
more is a note: one absence stops the run. Too few stand-ins is a note: drills can't be approved.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.model import ApprovalRule, Plan
from holdfast.plan.people import Occasion, approvers
from holdfast.plan.problems import Place

CODE = "HF108"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, rule in (("activation", plan.approval.activation), ("way_back", plan.approval.way_back)):
        if rule is not None:
            yield from _rule(plan, ("approval", name), rule)


def _rule(plan: Plan, place: Place, rule: ApprovalRule) -> Iterator[Finding]:
    places: tuple[Place, ...] = ((*place, "count"), (*place, "of"))
    if not rule.of:
        sentence = "the plan doesn't say who approves an activation: none is ever approved, and nothing can run"
        yield Finding(CODE, Severity.ERROR, sentence, (place,), "write 'approval' with 'activation': count, of, answer_within")
        return
    real = [person for person in approvers(plan, rule, Occasion.INCIDENT) if not plan.people[person].exercise]
    standing_in = approvers(plan, rule, Occasion.EXERCISE)
    roles = ", ".join(plan.roles[identifier].name for identifier in rule.of)
    asks = f"the rule '{place[-1]}' asks for {_people(rule.count)}"
    if len(real) < rule.count:
        sentence = f"{asks}, but only {_people(len(real))} can approve: {_named(plan, real)} ({roles})"
        yield Finding(CODE, Severity.ERROR, sentence, places, "fill the roles with more people, add a role, or ask for fewer")
    elif len(real) == rule.count:
        sentence = f"{asks}, and no more than that can approve: {_named(plan, real)}; one absence stops the run, or one of them asking"
        yield Finding(CODE, Severity.NOTE, sentence, places, "give the roles backups who aren't among them")
    if len(standing_in) < rule.count:
        sentence = f"{asks}, but {_people(len(standing_in))} can stand in for {roles} in an exercise, so a drill can't be approved"
        yield Finding(CODE, Severity.NOTE, sentence, places, "name 'stand_ins' in those roles")


def _people(count: int) -> str:
    return "nobody" if count == 0 else "one person" if count == 1 else f"{count} people"


def _named(plan: Plan, people: list[str]) -> str:
    return ", ".join(plan.people[person].name for person in people) or "nobody real"


RULE = Rule(
    CODE,
    "the plan's people can give the approval that it asks for",
    _apply,
    Explanation(
        means="The plan's people can't give the approval that the plan asks for.",
        why="The run waits for an answer that nobody may give.",
        computed="Distinct people who fill the rule's roles against its count; who asks for an activation can't approve it.",
        mend="Fill the roles with more people, add a role, or ask for fewer.",
        example="count: 2, and one person fills all of the roles",
    ),
)
