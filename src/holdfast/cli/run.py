"""`holdfast run`: the controller in the foreground, telling what it does line by line; or, with a file of `holdfast plan`, that run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from holdfast.cli.deciding import said
from holdfast.cli.output import CommandError, ExitCode, OutputFormat, complain, print_json
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, bindings_of, identity_of, is_there, profile_of

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from holdfast.plan.loader import LoadedPlan

LOOK_FOR_LAB_SECONDS = 0.5
MOST_SCALE = 600
"""Above it a plan's minute is shorter than a pass of the controller."""


def run(
    plan: Path,
    *,
    scenario: str = "regional-outage",
    profile: Annotated[str | None, Parameter(help="Which of the plan's profiles; without it the lab's, else `default`.")] = None,
    by: Annotated[str | None, Parameter(name=["--as"], help="Who begins the run of a file made by `holdfast plan`.")] = None,
    exercise: Annotated[str | None, Parameter(help="Identifier of an exercise: its incidents are exercises, decided by stand-ins.")] = None,
    scale: Annotated[float, Parameter(help="In an exercise: how fast the plan's clock runs for messages, escalation and answers.")] = 1.0,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> int:
    """Run the controller: watch, open incidents, ask people, act. Ends with Ctrl-C; the next one goes on where it stopped.

    With a file made by `holdfast plan … -o FILE` it asks the running controller to begin exactly that instead, and refuses when the
    world has moved since: `holdfast run --plan FILE --as NAME`.

    Example: `holdfast run examples/voicehive/plan.yaml --profile fast`
    """
    from holdfast.cli.foresee import carry_out, is_foreseen

    if is_foreseen(plan):
        if by is None:
            raise CommandError(f"say who begins it: `holdfast run --plan {plan} --as NAME`")
        said(carry_out(plan, by, lab), output)
        return ExitCode.FINE
    if scale != 1 and (exercise is None or not 1 < scale <= MOST_SCALE):
        raise CommandError(f"--scale is for exercises (with --exercise), and is from 1 to {MOST_SCALE}; {scale:g} is not possible here")
    import asyncio
    import logging

    from holdfast.app_controller import run_controller
    from holdfast.cli.telling import teller

    own = identity_of(lab)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    loaded = runnable_plan(plan)
    agents = profile_of(lab)
    profile = profile or agents or "default"
    for wanted, known, kind in ((scenario, loaded.plan.scenarios, "scenario"), (profile, loaded.plan.profiles, "profile")):
        if wanted not in known:
            raise CommandError(f"{plan} has no {kind} '{wanted}'; it has: {', '.join(known)}")
    if agents in loaded.plan.profiles and agents != profile:
        one, other = (f"{loaded.plan.profiles[name].lease:g} s" for name in (agents, profile))
        complain(
            f"the lab's agents run with the profile {agents} (lease {one}), this controller with {profile} ({other}): what it "
            f"expects of them is not how they were started. Start it with --profile {agents} to have them alike"
        )
    bindings = bindings_of(lab)
    tell = print_json if output == "json" else teller(exercise is not None)
    try:
        running = run_controller(loaded, bindings, scenario=scenario, profile=profile, exercise=exercise, tell=tell, scale=scale)
        asyncio.run(running if own is None else _while_it_is_there(running, lab, own))
    except KeyboardInterrupt:
        return ExitCode.FINE
    except Exception as error:
        raise _explained(error, lab) from error
    return ExitCode.FINE


async def _while_it_is_there(running: "Coroutine[Any, Any, None]", lab: Path, own: str) -> None:
    """Run a lab's controller until its lab is gone: the next one may stand at the same addresses, and must hear nothing from this one.

    A real installation has no lab, and is never left because of a file.
    """
    import asyncio

    async with asyncio.TaskGroup() as together:
        looking = together.create_task(_until_gone(lab, own))
        await running
        looking.cancel()


async def _until_gone(lab: Path, own: str) -> None:
    """Raises CommandError when the lab was stopped, or another one stands in its folder now. A file that can't be read says neither."""
    import asyncio

    while True:
        now = identity_of(lab)
        if now != own and (now is not None or not is_there(lab)):
            raise _gone(lab)
        await asyncio.sleep(LOOK_FOR_LAB_SECONDS)


def _gone(lab: Path) -> CommandError:
    said = f"the lab in {lab} was stopped, so its controller ends here; the journal stays in {lab / 'controller'}"
    return CommandError(f"{said}. End the controller first next time (Ctrl-C), then `holdfast lab down`", ExitCode.NOT_SO)


def _explained(error: Exception, lab: Path) -> Exception:
    """The first fault behind an error of the controller's tasks, in its own words and with its exit code; itself when it has none."""
    from holdfast.ports.journal_store import JournalBroken, JournalConflict, JournalForeign, JournalFull, JournalHeld

    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    match error:
        case JournalHeld():
            return CommandError(str(error), ExitCode.BAD_INPUT)
        case JournalConflict() | JournalFull():
            return CommandError(str(error), ExitCode.NOT_SO)
        case OSError() if not is_there(lab):
            return _gone(lab)
        case JournalBroken() | JournalForeign() | OSError():
            return CommandError(str(error), ExitCode.BAD_INPUT)
        case _:
            return error


def runnable_plan(path: Path) -> "LoadedPlan":
    """The plan of a file in which nothing is unsafe. Raises CommandError: a plan with an error must not run."""
    from holdfast.checks import Severity, check

    loaded = loaded_plan(path)
    errors = [f"{finding.code}: {finding.sentence}" for finding in check(loaded.plan) if finding.severity is Severity.ERROR]
    if errors:
        raise CommandError("\n".join([f"{path} must not run as it is; `holdfast check {path}` says more:", *errors]))
    return loaded


def loaded_plan(path: Path) -> "LoadedPlan":
    """The plan of a file. Raises CommandError with every problem, one a line."""
    from holdfast.plan.loader import PlanError, load

    try:
        return load(path)
    except PlanError as error:
        raise CommandError("\n".join([f"{path} can't be used as it is:", *error.lines()])) from error
