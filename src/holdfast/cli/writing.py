"""`holdfast schema`, `holdfast set` and `holdfast answer`: the plan's format for editors, and changing a plan without an editor."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.output import CommandError, OutputFormat, State, print_json, print_next, screen, state_text

if TYPE_CHECKING:
    from holdfast.plan.loader import LoadedPlan
    from holdfast.providers.file.plan_file import RefusedError, StillBroken


def schema(*, output: OutputFormat = "json") -> None:
    """Print the plan's format as a JSON Schema (2020-12): editors complete and explain what may stand where.

    Example: `holdfast schema > holdfast-plan.schema.json`

    Parameters
    ----------
    output
        The schema is JSON either way.
    """
    from holdfast.plan.schema import plan_schema

    print_json(plan_schema())


def set_value(plan: Path, place: str, value: str, *, output: OutputFormat = "text") -> None:
    """Change one value of a plan, or add an entry; comments and order stay. Refused when the plan wouldn't load with it.

    A plan that doesn't load yet, such as an imported one that lacks something, is completed value by value, in any order.

    Example: `holdfast set plan.yaml functions.voice.rto 20m`

    Parameters
    ----------
    plan
        The plan's file.
    place
        Keys from the top, items of lists as numbers from 0: `scenarios.regional-outage.phases.2.name`.
    value
        As in the plan: `20m`, `[voice, pms]`, `{ name: Press }`.
    output
        For people or for programs.
    """
    from holdfast.providers.file.plan_file import set_value as put

    _say(plan, place, value, output, lambda: put(plan, place, value))


def answer(plan: Path, about: str, value: str, *, output: OutputFormat = "text") -> None:
    """Answer a question that the plan leaves open: the value is written where it belongs, and the question removed.

    The plan need not load yet: questions and what is missing are settled in any order.

    Example: `holdfast answer plan.yaml exercises.tabletop.every half-yearly`

    Parameters
    ----------
    plan
        The plan's file.
    about
        What the question is about; `holdfast check` lists what is open.
    value
        One of its choices, or a value as in the plan.
    output
        For people or for programs.
    """
    from holdfast.providers.file.plan_file import answered

    _say(plan, about, value, output, lambda: answered(plan, about, value))


def _say(plan: Path, place: str, value: str, output: OutputFormat, change: "Callable[[], LoadedPlan | StillBroken]") -> None:
    from holdfast.plan.loader import PlanError
    from holdfast.providers.file.plan_file import PlaceError, RefusedError, StillBroken

    try:
        after = change()
    except PlaceError as error:
        raise CommandError(f"{error}; nothing was changed") from None
    except RefusedError as error:
        raise CommandError(_refused(plan, place, value, error)) from None
    except PlanError as error:
        raise CommandError("\n".join([f"nothing was changed; with {place} as {value} the plan doesn't load:", *error.lines()])) from None
    except OSError as error:
        raise CommandError(f"{error.filename or plan}: {error.strerror}; nothing was changed") from None
    left = len(after.problems) if isinstance(after, StillBroken) else 0
    if output == "json":
        digest = None if isinstance(after, StillBroken) else after.digest
        changed = {"path": str(plan), "place": place, "value": value, "digest": digest, "problems_left": left}
        print_json({"schema": "holdfast/plan-changed/v1", **changed})
        return
    if isinstance(after, StillBroken):
        problems = "1 problem is" if left == 1 else f"{left} problems are"
        screen().print(state_text(State.NEEDS_PERSON, f"{place} is {value} now; {problems} left before the plan loads"))
        screen().print(str(after.problems[0]), markup=False)
        print_next(f"holdfast check {plan}")
        return
    void = f"the plan's digest is {after.digest[:12]}, so what was approved before is void"
    screen().print(state_text(State.DONE, f"{place} is {value} now; {void}"))
    print_next(f"holdfast check {plan}")


def _refused(plan: Path, place: str, value: str, error: "RefusedError") -> str:
    """The reason, and of what was wrong before only how much."""
    if not error.others:
        return "\n".join([f"nothing was changed; with {place} as {value} the plan doesn't load:", *error.lines()])
    before = "1 other problem" if error.others == 1 else f"{error.others} other problems"
    lines = [f"nothing was changed; this can't stand at {place}:", *map(str, error.because)]
    return "\n".join([*lines, f"the plan had {before} before, which refused nothing here; holdfast check {plan} lists them"])
