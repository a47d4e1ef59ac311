"""HF137: a regulator's deadline that nobody meets, or that the plan writes longer than it is."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.standards.clocks import CLOCKS
from holdfast.plan.governance import Regulation
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF137"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, regulation in plan.regulations.items():
        place: Place = ("regulations", name)
        for clock in CLOCKS:
            if not clock.is_about(name, regulation.name):
                continue
            if regulation.notify_within is None:
                sentence = f"{regulation.name} asks for {clock.what} within {spoken_duration(clock.seconds)}, and the plan has no deadline"
                yield Finding(CODE, Severity.WARNING, sentence, (place,), "write 'notify', 'notify_within' and 'notify_by'")
            elif regulation.notify_within > clock.seconds:
                sentence = f"{regulation.name} asks for {clock.what} within {spoken_duration(clock.seconds)} ({clock.clause}), "
                sentence += f"and the plan gives {spoken_duration(regulation.notify_within)}"
                yield Finding(CODE, Severity.WARNING, sentence, ((*place, "notify_within"),), "write the shorter time")
        if regulation.notify_within is not None:
            yield from _met(facts, name, regulation)


def _met(facts: Facts, name: str, regulation: Regulation) -> Iterator[Finding]:
    plan, place, limit = facts.plan, ("regulations", name), regulation.notify_within or 0.0
    authority = regulation.notify or "the authority"
    if regulation.notify_by is None:
        sentence = f"{authority} must be told within {spoken_duration(limit)} ({regulation.name}), and no role does it"
        yield Finding(CODE, Severity.WARNING, sentence, ((*place, "notify_within"),), "write 'notify_by' with a role")
    wanted = (regulation.notify or "").casefold()
    circles = {key for key, circle in plan.audiences.items() if wanted and wanted in (key.casefold(), circle.name.casefold())}
    telling = [(key, message) for key, message in plan.messages.items() if circles & set(message.audience)]
    if not telling:
        sentence = f"{authority} must be told within {spoken_duration(limit)} ({regulation.name}), and no message goes there"
        yield Finding(CODE, Severity.WARNING, sentence, ((*place, "notify_within"), ("messages",)), "write a message to it, due by then")
    in_time = [(key, message) for key, message in telling if message.due <= limit and message.counts_from != "restored"]
    if not in_time:  # a later report to the same authority is no late notice
        for key, _ in telling:
            sentence = f"{authority} must be told within {spoken_duration(limit)} ({regulation.name}), but '{key}' is due later"
            places: tuple[Place, ...] = ((*place, "notify_within"), ("messages", key, "due"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "let it be due by then, counted from the start")
    covered = {scenario for _, message in in_time or telling for scenario in message.scenarios or regulation.scenarios}
    missing = [scenario for scenario in regulation.scenarios if telling and scenario not in covered]
    if missing:
        sentence = f"{authority} must be told in {listed(missing)} ({regulation.name}), and no message goes there then"
        yield Finding(
            CODE, Severity.WARNING, sentence, ((*place, "scenarios"), ("messages", telling[0][0])), "add the scenario to the message"
        )


RULE = Rule(
    CODE,
    "regulators hear in time",
    _apply,
    Explanation(
        means="A regulation's deadline has no role, no message that is due by then, or is written longer than the law's.",
        why="The clock runs from becoming aware, in the middle of the incident.",
        computed=(
            "`notify_within` against the known clocks (GDPR 72 h; DORA at most 24 h, its intermediate report 72 h and the "
            "final one a month later), the role, and messages to an audience of the "
            "authority's name."
        ),
        mend="Name the role, and write the message with its deadline.",
        example="notify_within: 72h without notify_by",
    ),
)
