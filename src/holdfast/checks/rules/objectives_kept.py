"""HF144: a function promises less than the plan as a whole, or the plan's own objectives contradict each other.

The tolerance for lost data is a most, so it holds for every function. The plan's RTO and RPO speak of what is critical, so they are held
against the functions of the highest priority only; the RPO where the plan names no tolerance.
"""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.impact import Function
from holdfast.plan.model import Plan
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF144"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan, promised = facts.plan, facts.plan.objectives
    highest = min(function.priority for function in plan.functions.values())
    critical = {name: function for name, function in plan.functions.items() if function.priority == highest}
    if promised.rto is not None:
        said = f"the plan promises to be back within {spoken_duration(promised.rto)}"
        yield from _less("rto", promised.rto, said, critical, ("objectives", "rto"))
    if promised.data_loss_tolerance is not None:
        said = f"the plan tolerates a loss of {spoken_duration(promised.data_loss_tolerance)}"
        yield from _less("rpo", promised.data_loss_tolerance, said, plan.functions, ("objectives", "data_loss_tolerance"))
        yield from _objectives(plan, promised.data_loss_tolerance)
    elif promised.rpo is not None:
        said = f"the plan promises to lose at most {spoken_duration(promised.rpo)}"
        yield from _less("rpo", promised.rpo, said, critical, ("objectives", "rpo"))


def _less(key: str, most: float, said: str, functions: dict[str, Function], place: Place) -> Iterator[Finding]:
    longer = {name: getattr(function, key) for name, function in functions.items() if getattr(function, key) > most}
    if longer:
        does = "is back only within" if key == "rto" else "may lose"
        each = listed(f"{functions[name].name} {does} {spoken_duration(seconds)}" for name, seconds in longer.items())
        places = (place, *(("functions", name, key) for name in longer))
        yield Finding(CODE, Severity.WARNING, f"{said}, but {each}", places, "let both say the same, or say which functions it is about")


def _objectives(plan: Plan, tolerated: float) -> Iterator[Finding]:
    lost = plan.objectives.rpo
    if lost is not None and lost > tolerated:
        sentence = f"the plan tolerates a loss of {spoken_duration(tolerated)}, but its own RPO is {spoken_duration(lost)}"
        places: tuple[Place, ...] = (("objectives", "data_loss_tolerance"), ("objectives", "rpo"))
        yield Finding(CODE, Severity.WARNING, sentence, places, "let both say the same")


RULE = Rule(
    CODE,
    "functions keep what the plan promises as a whole",
    _apply,
    Explanation(
        means="A function may lose more, or come back later, than the plan promises as a whole.",
        why="Executives read the objectives, engineers the table of functions, and each believes something else.",
        computed=(
            "`data_loss_tolerance` against every function's RPO; the plan's RTO, and its RPO where no tolerance is named, against those of "
            "the highest priority; the plan's RPO against its tolerance."
        ),
        mend="Let both say the same, or name the functions that the objective is about.",
        example="objectives.data_loss_tolerance: 5m, and functions.pms.rpo: 15m",
    ),
)
