"""HF148: one thing is measured against two targets that don't agree: a test passes what a promise elsewhere calls too late.

Only what the plan types is compared: criteria of answers and of decisions, indicators of recovery, exercises.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.governance import Criterion
from holdfast.plan.model import Plan
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF148"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, criterion in plan.criteria.items():
        seconds = criterion.target.most_seconds if criterion.target is not None else None
        if seconds is not None and criterion.measures == "response":
            yield from _answers(plan, name, criterion, seconds)
        elif seconds is not None and criterion.measures == "decision":
            yield from _decisions(plan, name, criterion, seconds)
    yield from _recoveries(plan)
    yield from _exercises(plan)


def _answers(plan: Plan, name: str, criterion: Criterion, seconds: float) -> Iterator[Finding]:
    asked = {severity: row.answer_within for severity, row in plan.escalation.items() if row.answer_within != seconds}
    if asked:
        said = listed(f"{spoken_duration(within)} at {severity}" for severity, within in asked.items())
        sentence = f"{criterion.name} asks for an answer within {spoken_duration(seconds)}, but the escalation gives {said}"
        places: tuple[Place, ...] = (("criteria", name, "target"), *(("escalation", severity, "answer_within") for severity in asked))
        yield Finding(CODE, Severity.WARNING, sentence, places, "say for which severities the criterion is, or let both say the same")


def _decisions(plan: Plan, name: str, criterion: Criterion, seconds: float) -> Iterator[Finding]:
    rule = plan.approval.activation
    if rule.of and rule.answer_within > seconds:
        asked, given = spoken_duration(seconds), spoken_duration(rule.answer_within)
        sentence = f"{criterion.name} asks for a decision within {asked}, but an approval may take {given}"
        places: tuple[Place, ...] = (("criteria", name, "target"), ("approval", "activation", "answer_within"))
        yield Finding(CODE, Severity.WARNING, sentence, places, "let both say the same")


def _recoveries(plan: Plan) -> Iterator[Finding]:
    promised = plan.objectives.rto
    for name, indicator in plan.indicators.items():
        seconds = indicator.target.most_seconds if indicator.measures == "recovery" else None
        if seconds is not None and promised is not None and seconds > promised:
            sentence = f"{indicator.name} is met at {spoken_duration(seconds)}, but the plan promises {spoken_duration(promised)}"
            places: tuple[Place, ...] = (("objectives", "rto"), ("indicators", name, "target"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "measure what is promised")


def _exercises(plan: Plan) -> Iterator[Finding]:
    for name, exercise in plan.exercises.items():
        seconds = exercise.target.most_seconds if exercise.target is not None else None
        if seconds is not None and exercise.within is not None and seconds != exercise.within:
            sentence = f"'{exercise.name}' must be back within {spoken_duration(exercise.within)}, and its target is {exercise.target}"
            places: tuple[Place, ...] = (("exercises", name, "within"), ("exercises", name, "target"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "let both say the same")


RULE = Rule(
    CODE,
    "what is measured twice has one target",
    _apply,
    Explanation(
        means="Two places of the plan set different targets for the same thing.",
        why="A test is passed, and what was promised elsewhere is broken all the same.",
        computed=(
            "Criteria of answers against the escalation's `answer_within`, criteria of decisions against the approval's, indicators of "
            "recovery against the plan's RTO, and `target` of an exercise against `within`."
        ),
        mend="Let both say the same, or say what each is about.",
        example="a criterion of answers `<= 15m`, and escalation.P1.answer_within: 5m",
    ),
)
