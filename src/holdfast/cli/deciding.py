"""What people do in an incident: look, approve, refuse, choose, turn home. Thin: the controller decides whether it counts."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from holdfast.cli.asking import ask
from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of, give, state_of

Person = Annotated[str, Parameter(name=["--as"], help="Who you are: a person of the plan.")]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _proposal(state: dict[str, Any], incident: str) -> dict[str, Any]:
    open_now, full = state["incident"], state.get("journal_full")
    if full is not None:
        said = f"nothing can be decided now: the controller can't write its journal ({full['reason']}). Make room, then give this again"
        raise CommandError(said, ExitCode.NOT_SO)
    if open_now is None or open_now["incident"] != incident:
        raise CommandError(f"{incident} is not the open incident; `holdfast status` shows which is", ExitCode.NOT_SO)
    if open_now["proposal"] is None:
        raise CommandError(f"{incident} waits for no approval; it is {open_now['state']}", ExitCode.NOT_SO)
    return dict(open_now["proposal"])


def approve(
    incident: str,
    *,
    by: Person,
    accept_loss: Annotated[
        bool, Parameter(name=["--accept-loss"], negative="", help="Accept a loss above the RPO, or one that can't be bounded.")
    ] = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Don't ask for the region's name first.")] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Approve what is proposed: shows it with the bound on data loss first. Other regions stop writing; that can't be undone.

    Example: `holdfast approve inc-1-1 --as exercise-one`
    """
    client = controller_of(lab)
    now = dict(state_of(client))
    proposal = _proposal(now, incident)
    _may_approve(now, proposal, by)
    if output == "text":
        _show(proposal)
    if output == "text" and not yes:
        ask(f"Type the name of the region that will serve ({proposal['target']}) to approve", proposal["target"], "not approved")
    answer = give(client, "approve", by, {"hash": proposal["hash"], "accepts_loss": accept_loss})
    if output == "json":
        print_json({"answer": answer, "proposal": proposal})
        return
    screen().print(state_text(State.DONE, answer))
    print_next("holdfast status")


def _may_approve(state: dict[str, Any], proposal: dict[str, Any], by: str) -> None:
    """Raises CommandError for a person whose approval can't count, before that person is asked for anything. The controller decides."""
    if any(given["person"] == by for given in proposal["approvals"]):
        left = proposal["count"] - len(proposal["approvals"])
        raise CommandError(f"{by} has approved already; {left} other must: {_able(state)}. Nothing was done.", ExitCode.NOT_SO)
    if by not in [person["person"] for person in _people(state)]:
        raise CommandError(f"{by} can't approve this; who can: {_able(state)}. Nothing was done.", ExitCode.NOT_SO)


def _able(state: dict[str, Any]) -> str:
    """The people whose approval would count now, as they are named to `--as`."""
    return ", ".join(f"{person['person']} ({person['role'].replace('-', ' ')})" for person in _people(state)) or "nobody of the plan"


def _people(state: dict[str, Any]) -> list[dict[str, str]]:
    """What is first in `acting` where a proposal waits."""
    return list(state["acting"][0]["who"]) if state["acting"] else []


def _show(proposal: dict[str, Any]) -> None:
    out = screen()
    out.print(state_text(State.NEEDS_PERSON, f"{proposal['action']} {proposal['source']} → {proposal['target']} ({proposal['mode']})"))
    bound, count = proposal["loss_bound_seconds"], proposal["estimated_writes"]
    loss = (
        "can't be bounded" if bound is None else "nothing" if bound == 0 else f"at most the last {_duration(bound)} of acknowledged writes"
    )
    estimate = "" if not count else f" (an estimated {count} writes)"
    rows = [
        ["may lose", loss + estimate + (", above the RPO" if proposal["above_rpo"] else "")],
        ["can't be undone", f"{proposal['source']} stops writing; what only it holds must be exported and judged later"],
        ["needs", f"{proposal['count']} of {', '.join(proposal['roles'])}"],
        ["has", ", ".join(f"{given['person']} ({given['role']})" for given in proposal["approvals"]) or "nobody yet"],
    ]
    out.print(table(["", ""], rows))


def refuse(
    incident: str,
    *,
    by: Person,
    because: Annotated[str, Parameter(help="Why: it is kept in the journal.")],
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Decide against what is proposed. The incident stands down, or the way back is not taken now.

    Example: `holdfast refuse inc-1-1 --as exercise-one --because "the provider will be back in five minutes"`
    """
    client = controller_of(lab)
    _proposal(dict(state_of(client)), incident)
    said(give(client, "refuse", by, {"reason": because}), output)


def confirm(*, by: Person, lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> None:
    """Say that what an alert from outside opened is so: its steps begin. You have asked for it then, and can't approve it yourself.

    Example: `holdfast confirm --as aoife-brennan`
    """
    said(give(controller_of(lab), "confirm", by, {}), output)


def choose(
    step: str,
    choice: str,
    *,
    by: Person,
    because: Annotated[str, Parameter(help="Why: needed for skip and done.")] = "",
    accept_loss: Annotated[
        bool, Parameter(name=["--accept-loss"], negative="", help="With retry: accept the loss that the promotion found too large.")
    ] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Say how a step that waits for a person goes on: retry, other-way (the plan's backup strategy), skip, or done (it was done by hand).

    On the other way's own steps, first-way tries the first one once more. `holdfast status` shows what each choice means.

    Example: `holdfast choose promote-database other-way --as exercise-one`
    """
    said(give(controller_of(lab), "choose", by, {"step": step, "choice": choice, "reason": because, "accepts_loss": accept_loss}), output)


def failback(*, by: Person, lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> None:
    """Bring the service home: the lost region becomes a replica, then a planned switchover is proposed.

    Example: `holdfast failback --as exercise-one`
    """
    said(give(controller_of(lab), "failback", by, {}), output)


Foreseen = Annotated[Path | None, Parameter(name=["--plan"], help="A file of `holdfast plan`: begin only if the world is still so.")]


def switchover(*, by: Person, plan: Foreseen = None, lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> None:
    """Propose a planned move to the DR region, with both regions up; loses nothing.

    Example: `holdfast switchover --as aoife-brennan`
    """
    said(_begun("switchover", plan, by, lab), output)


def declare(
    *,
    by: Person,
    scenario: Annotated[
        str | None, Parameter(help="Open an incident of this scenario of the plan, instead of the one that the controller watches for.")
    ] = None,
    plan: Foreseen = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Declare the serving region lost, whatever the triggers say; a failover is proposed to the plan's people.

    With `--scenario` an incident of that scenario is opened: one without an approval is carried out by people, a step at a time.

    Example: `holdfast declare --as aoife-brennan`
    """
    if scenario is not None and plan is not None:
        raise CommandError("a file of `holdfast plan` has its scenario in it; leave --scenario or --plan out")
    if scenario is not None:
        said(give(controller_of(lab), "declare", by, {"scenario": scenario}), output)
        return
    said(_begun("declare", plan, by, lab), output)


def _begun(verb: str, plan: Path | None, by: str, lab: Path) -> str:
    if plan is None:
        return give(controller_of(lab), verb, by, {})
    from holdfast.cli.foresee import carry_out

    return carry_out(plan, by, lab, verb)


def said(answer: str, output: str) -> None:
    """Print a controller's answer and what comes next."""
    if output == "json":
        print_json({"answer": answer})
        return
    screen().print(state_text(State.DONE, answer))
    print_next("holdfast status")
