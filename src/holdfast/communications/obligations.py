"""Every message that a plan obliges somebody to send: those it writes out, and those that follow from its regulations and vendors.

Rules: a regulation with an authority and a time gives a reminder to the role that tells it; it counts from when the company became
aware. The reminder of a report that follows the first notice comes when its deadline is near. A vendor with a way to be reached is told
when a function that needs it is hit; in an exercise it never is. A message of the plan with the same name takes its place.
"""

from collections.abc import Iterator, Mapping

from holdfast.plan.derived import once_per_plan
from holdfast.plan.governance import report_stages
from holdfast.plan.model import Message, Plan, Regulation, Vendor

REGULATION, VENDOR = "regulation.", "vendor."
"""How rules that follow from the plan are called, before the regulation's or vendor's own name."""
VENDOR_WITHIN_SECONDS = 1800.0
"""A vendor is told within half an hour, unless the plan has a message of its own to it."""
LATER_SHARE, LATER_AT_LEAST_SECONDS = 0.1, 24 * 3600.0
"""A later report's reminder comes a tenth of its time before its deadline, and a day before at least, or half of a shorter time."""


class LaterReport(Message):
    """A reminder that comes only so long after the company knew: of a report that follows the first notice."""

    opens_after: float


@once_per_plan
def all_messages(plan: Plan) -> Mapping[str, Message]:
    """Rule → message, in the plan's order, what follows from it last."""
    if not plan.regulations and not plan.vendors:
        return plan.messages
    return {**dict(_notices(plan)), **dict(_calls_for_help(plan)), **plan.messages}


def message_of(plan: Plan, rule: str) -> Message | None:
    """The message of a rule, or None for one that the plan doesn't have any more."""
    return plan.messages.get(rule) or all_messages(plan).get(rule)


def opening_seconds(within_seconds: float) -> float:
    """How long after the company knew the reminder of a later report comes, which is owed `within_seconds`."""
    return within_seconds - max(within_seconds * LATER_SHARE, min(LATER_AT_LEAST_SECONDS, within_seconds / 2))


def functions_on(plan: Plan, vendor: str) -> tuple[str, ...]:
    """Functions that need what a vendor supplies, by themselves or through a component."""
    needing = {name for dependency in plan.dependencies.values() if dependency.vendor == vendor for name in dependency.needed_by}
    return tuple(name for name, function in plan.functions.items() if name in needing or needing & set(function.stands_on))


def _notices(plan: Plan) -> Iterator[tuple[str, Message]]:
    for name, regulation in plan.regulations.items():
        by = regulation.notify_by if regulation.notify_by in plan.roles else next(iter(plan.roles), None)
        if regulation.notify is not None and regulation.notify_within is not None and by is not None:
            notice = _notice(regulation, regulation.notify, regulation.notify_within, by)
            if report_stages(name, regulation.name):
                notice = LaterReport.model_construct(**dict(notice), opens_after=opening_seconds(notice.due))
            yield REGULATION + name, notice


def _notice(regulation: Regulation, authority: str, within: float, by: str) -> Message:
    return Message.model_construct(
        audience=(by,),
        channels=("email",),
        due=within,
        counts_from="aware",
        scenarios=regulation.scenarios,
        subject=f"{regulation.name}: {authority} must be told of {{incident}}",
        body=(
            f"{regulation.name} asks that {authority} be told. You are the one who does it.\n"
            "What is hit: {functions}\nSince: {started}\nState: {state}\nCause: {cause}\nDone so far: {actions_taken}\n"
        ),
        short=f"{authority} must be told of {{incident}} ({regulation.name})",
    )


def _calls_for_help(plan: Plan) -> Iterator[tuple[str, Message]]:
    for name, vendor in plan.vendors.items():
        functions = functions_on(plan, name)
        if functions and (vendor.email or vendor.phone):
            yield VENDOR + name, _call_for_help(plan, name, vendor, functions)


def _call_for_help(plan: Plan, name: str, vendor: Vendor, functions: tuple[str, ...]) -> Message:
    return Message.model_construct(
        audience=(VENDOR + name,),
        channels=tuple(channel for channel, way in (("phone", vendor.phone), ("email", vendor.email)) if way),
        due=VENDOR_WITHIN_SECONDS,
        severities=("P1", "P2"),
        functions=functions,
        subject=f"{plan.name}: {{incident}} needs {vendor.name}",
        body=(
            f"{vendor.supplies or 'What you supply'} is needed by what is hit here: {{functions}}, since {{started}}.\n"
            "State: {state}\nPlease say how your side is, and call {commander} back.\n"
        ),
        short=f"{plan.name}: {{functions}} hit since {{started}}; please call {{commander}} back",
    )


def family_of(rule: str) -> str:
    """What a rule is told together with: itself, but for those that follow from the plan in one way, such as one for each vendor."""
    return rule.partition(".")[0]
