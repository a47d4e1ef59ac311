"""`holdfast cost PLAN --function NAME --down 45m`: what an outage of one function costs and breaks by then."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from holdfast.cli.output import CommandError, OutputFormat, State, print_json, print_next, screen, state_text, table

if TYPE_CHECKING:
    from holdfast.forecast.outage import DueBy, Outage

SCHEMA = "holdfast/cost/v1"


def cost(
    plan: Path,
    *,
    function: Annotated[str, Parameter(help="Identifier of the function that is down.")],
    down: Annotated[str, Parameter(help="For how long, as in the plan: `45m`, `1h30m`.")],
    output: OutputFormat = "text",
) -> None:
    """Say what an outage costs by the plan's financial tiers, what it breaks, and who would have been told by then.

    The plan states a tier's loss for a whole outage, not by the minute. Nothing is guessed: what the plan has no figure for is not shown.

    Example: `holdfast cost examples/voicehive/plan.yaml --function voice --down 45m`

    Parameters
    ----------
    plan
        The plan's file.
    output
        For people or for programs.
    """
    from holdfast.cli.run import loaded_plan
    from holdfast.forecast.outage import outage
    from holdfast.plan.values import duration_seconds

    loaded = loaded_plan(plan)
    if function not in loaded.plan.functions:
        raise CommandError(f"{plan} has no function '{function}'; it has: {', '.join(loaded.plan.functions)}")
    try:
        seconds = duration_seconds(down)
    except ValueError as error:
        raise CommandError(f"--down: {error}") from error
    found = outage(loaded.plan, function, seconds)
    if output == "json":
        head = {"schema": SCHEMA, "plan": {"name": loaded.plan.name, "version": loaded.plan.version, "digest": loaded.digest}}
        from dataclasses import asdict

        print_json({**head, **asdict(found)})
    else:
        _show(found, plan)


def _show(found: "Outage", plan: Path) -> None:
    import shlex

    from holdfast.forecast.words import usd
    from holdfast.plan.values import spoken_duration

    broken = [promise for promise in found.promises if promise.broken]
    length = spoken_duration(found.down_seconds)
    costs = f"{'at least ' if found.at_least else ''}{usd(found.cost_usd)}" if found.tiers else "an unknown amount (the plan has no tiers)"
    breaks = "breaks nothing promised" if not broken else f"breaks {len(broken)} of {len(found.promises)} promises"
    title = f"{found.name} down for {length} costs {costs} and {breaks}"
    screen().print(state_text(State.FAILED if broken else State.DONE, title))
    rows = [["tier", _tier(found)]] if found.tiers else []
    if found.customer_impact is not None:
        rows += [["customer impact", found.customer_impact], ["regulatory risk", found.regulatory_risk or ""]]
    rows.append(
        ["next tier", _next_tier(found)] if found.tiers else ["tiers", "none: write 'financial_tiers', what an outage costs by its length"]
    )
    rows += [["✕ breaks" if promise.broken else "✓ keeps", f"{promise.about}: {promise.says}"] for promise in found.promises]
    rows += [[f"due by {spoken_duration(one.first_due_seconds)}", _told(one)] for one in found.due]
    screen().print()
    screen().print(table(["", "what"], rows))
    screen().print()
    print_next(f"holdfast forecast {shlex.quote(str(plan))}")


def _told(one: "DueBy") -> str:
    times = f" ({one.times} times by now)" if one.times > 1 else ""
    only = f", only in {', '.join(one.scenarios)}" if one.scenarios else ""
    return f"{one.message}{times}: {', '.join(one.audience)}, by {', '.join(one.channels)}{only}"


def _tier(found: "Outage") -> str:
    from holdfast.plan.values import spoken_duration

    if found.tier is None or found.tier_from_seconds is None:
        return "none: no tier of the plan speaks of an outage of this length"
    end = "no end" if found.tier_to_seconds is None else spoken_duration(found.tier_to_seconds)
    return f"{found.tier} of {found.tiers}, from {spoken_duration(found.tier_from_seconds)} to {end}"


def _next_tier(found: "Outage") -> str:
    from holdfast.forecast.words import usd
    from holdfast.plan.values import spoken_duration

    if found.next_tier_in_seconds is None or found.next_tier_usd is None:
        return "none: this is the last one"
    costs = f"{'at least ' if found.next_tier_at_least else ''}{usd(found.next_tier_usd)}"
    return f"in {spoken_duration(found.next_tier_in_seconds)}: {costs}"
