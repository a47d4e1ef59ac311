"""HF150: a function is to be back only when its loss can't be borne any more."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF150"


def _apply(facts: Facts) -> Iterator[Finding]:
    for name, function in facts.plan.functions.items():
        if function.mtpd is not None and function.rto >= function.mtpd:
            sentence = (
                f"the loss of {function.name} can be borne for {spoken_duration(function.mtpd)}, "
                f"and it is to be back within {spoken_duration(function.rto)}: nothing may go wrong"
            )
            places: tuple[Place, ...] = (("functions", name, "mtpd"), ("functions", name, "rto"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "promise an RTO well below what can be borne")


RULE = Rule(
    CODE,
    "functions are back before their loss can't be borne",
    _apply,
    Explanation(
        means="A function's RTO is not below its MTPD.",
        why="The time between the two is all there is for what goes wrong.",
        computed="`rto` against `mtpd` of each function that has one.",
        mend="Shorten the RTO, or judge again how long the loss can be borne.",
        example="rto: 4h, mtpd: 4h",
    ),
)
