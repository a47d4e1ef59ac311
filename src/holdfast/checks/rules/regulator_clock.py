"""HF137: a regulator's deadline that nobody meets, or that the plan writes longer than it is."""

from collections.abc import Iterator, Mapping

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.checks.standards.clocks import CLOCKS, Clock, same_authority
from holdfast.plan.governance import Regulation, report_stages
from holdfast.plan.model import Message, Plan
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF137"


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, regulation in plan.regulations.items():
        for clock in CLOCKS:
            if clock.is_about(name, regulation.name):
                yield from _as_the_law(plan, name, regulation, clock)
        if regulation.notify_within is not None:
            yield from _met(facts, name, regulation)


def _as_the_law(plan: Plan, name: str, regulation: Regulation, clock: Clock) -> Iterator[Finding]:
    place: Place = ("regulations", name)
    limit = clock.limit_seconds(plan, regulation.notify)
    sentence = f"{regulation.name} asks for {clock.what} within {spoken_duration(limit)}"
    if regulation.notify_within is None:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{sentence}, and the plan has no deadline",
            (place,),
            "write 'notify', 'notify_within' and 'notify_by'",
        )
    elif regulation.notify_within > limit:
        before = clock.entry_before(plan, regulation.notify)
        counted = f"; {spoken_duration(clock.seconds)} after {clock.after.what}" if clock.after is not None else ""
        sentence += f" ({clock.clause}{counted}), and the plan gives {spoken_duration(regulation.notify_within)}"
        places: tuple[Place, ...] = ((*place, "notify_within"),)
        places += () if before is None else (("regulations", before, "notify_within"),)
        yield Finding(CODE, Severity.WARNING, sentence, places, "write the shorter time")


def _met(facts: Facts, name: str, regulation: Regulation) -> Iterator[Finding]:
    plan, place, limit = facts.plan, ("regulations", name), regulation.notify_within or 0.0
    authority = regulation.notify or "the authority"
    must = f"{authority} must be told within {spoken_duration(limit)} ({regulation.name})"
    if regulation.notify_by is None:
        yield Finding(CODE, Severity.WARNING, f"{must}, and no role does it", ((*place, "notify_within"),), "write 'notify_by' with a role")
    going = _going_to(plan, regulation)
    telling = _of_this_report(plan, name, regulation, going)
    if not telling:
        lacks = "no message that goes there is this report" if going else "no message goes there"
        places: tuple[Place, ...] = ((*place, "notify_within"), ("messages",))
        yield Finding(CODE, Severity.WARNING, f"{must}, and {lacks}", places, "write a message to it, due by then")
        return
    in_time = {key: message for key, message in telling.items() if message.due <= limit and message.counts_from != "restored"}
    if not in_time:  # a later report to the same authority is no late notice
        for key in telling:
            places = ((*place, "notify_within"), ("messages", key, "due"))
            yield Finding(
                CODE, Severity.WARNING, f"{must}, but '{key}' is due later", places, "let it be due by then, counted from the start"
            )
    covered = {scenario for message in (in_time or telling).values() for scenario in message.scenarios or regulation.scenarios}
    missing = [scenario for scenario in regulation.scenarios if scenario not in covered]
    if missing:
        sentence = f"{authority} must be told in {listed(missing)} ({regulation.name}), and no message goes there then"
        places = ((*place, "scenarios"), ("messages", next(iter(telling))))
        yield Finding(CODE, Severity.WARNING, sentence, places, "add the scenario to the message")


def _going_to(plan: Plan, regulation: Regulation) -> Mapping[str, Message]:
    """The plan's messages to a regulation's authority."""
    wanted = (regulation.notify or "").casefold()
    circles = {key for key, circle in plan.audiences.items() if wanted and wanted in (key.casefold(), circle.name.casefold())}
    return {key: message for key, message in plan.messages.items() if circles & set(message.audience)}


def _of_this_report(plan: Plan, name: str, regulation: Regulation, going: Mapping[str, Message]) -> Mapping[str, Message]:
    """Those of an authority's messages that can be this very report: by its name, else by being due after those before it.

    One message is not both the first notice and a report that follows it.
    """
    stages = report_stages(name, regulation.name)
    same = {key: one for key, one in plan.regulations.items() if key != name and same_authority(one.notify, regulation.notify)}
    others = frozenset[str]().union(*(report_stages(key, one.name) for key, one in same.items())) - stages
    limit, clock = regulation.notify_within or 0.0, next((one for one in CLOCKS if one.is_about(name, regulation.name)), None)
    before = [
        one.notify_within or 0.0
        for key, one in same.items()
        if clock is None or any(report.is_about(key, one.name) for report in clock.earlier())  # of an unknown law, whatever is sent there
    ]
    earlier = max((within for within in before if within < limit), default=0.0)

    def is_this(key: str, message: Message) -> bool:
        said = report_stages(key, message.subject, message.content)
        if not stages:  # `final` to an authority that is owed no final report says nothing of stages
            return not said & others
        return bool(said & stages) if said else message.due > earlier

    return {key: message for key, message in going.items() if is_this(key, message)}


RULE = Rule(
    CODE,
    "regulators hear in time",
    _apply,
    Explanation(
        means="A regulation's deadline has no role, no message that is due by then, or is written longer than the law's.",
        why="The clock runs from becoming aware, in the middle of the incident.",
        computed=(
            "`notify_within` against the known clocks (GDPR 72 h; DORA at most 24 h, its intermediate report 72 h after the "
            "plan's own first notice, and the final one a month after that), the role, and messages to an audience of the "
            "authority's name, each report with a message of its own."
        ),
        mend="Name the role, and write the message with its deadline.",
        example="notify_within: 72h without notify_by",
    ),
)
