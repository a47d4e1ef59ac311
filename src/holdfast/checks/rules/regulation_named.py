"""HF154: the plan judges a risk from regulators, and names no regulation."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF154"
_NO_RISK = frozenset({"", "none", "no", "minimal", "low", "n/a", "-"})


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    risky = [number for number, tier in enumerate(plan.financial_tiers) if tier.regulatory_risk.strip().casefold() not in _NO_RISK]
    if risky and not plan.regulations:
        tier = plan.financial_tiers[risky[-1]]
        sentence = (
            f"an outage from {spoken_duration(tier.start)} on has the regulatory risk '{tier.regulatory_risk.strip()}', "
            "and the plan names no regulation: nobody knows who must be told by when"
        )
        place: Place = ("financial_tiers", risky[-1], "regulatory_risk")
        yield Finding(CODE, Severity.NOTE, sentence, (place,), "write 'regulations' with what each demands, and by when")


RULE = Rule(
    CODE,
    "a regulatory risk names its regulation",
    _apply,
    Explanation(
        means="The tiers speak of a regulatory risk, and the plan has no `regulations`.",
        why="Deadlines of regulators run in the middle of the incident, and nobody finds them then.",
        computed="Tiers whose `regulatory_risk` is more than low, in a plan without `regulations`.",
        mend="Write each regulation with its authority, its deadline, and the role that keeps it.",
        example="regulatory_risk: critical, and no regulations",
    ),
)
