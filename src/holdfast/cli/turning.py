"""Turning back and going on: `abort`, `go-on`, `attest`, `pause`, `resume`. Thin: the controller says what each does, and does it."""

from typing import Annotated, Any

from cyclopts import Parameter

from holdfast.cli.asking import ask
from holdfast.cli.deciding import Person, said
from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of, give, state_of

Because = Annotated[str, Parameter(help="Why: it is kept in the journal.")]


def abort(
    incident: str,
    *,
    by: Person,
    because: Because = "",
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Don't ask first.")] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Turn back: says first what is undone, what can't be, and how every component will stand. After a promotion it stops, and says so.

    Example: `holdfast abort inc-1-1 --as exercise-one --because "the provider is back"`
    """
    client = controller_of(lab)
    now: Any = state_of(client)
    known = now["incident"]
    if known is None or known["incident"] != incident:
        raise CommandError(f"{incident} is not the open incident; `holdfast status` shows which is", ExitCode.NOT_SO)
    seen = known["abort"]
    if seen["way"] == "none":
        raise CommandError(f"not aborted: {seen['reason']}", ExitCode.NOT_SO)
    if output == "text":
        _show(incident, seen)
    if not yes:
        ask(f"Type {incident} to go ahead", incident, "not aborted")
    answer = give(client, "abort", by, {"incident": incident, "reason": because})
    if output == "json":
        print_json({"answer": answer, "outlook": seen})
        return
    screen().print(state_text(State.DONE, answer))
    print_next("holdfast status")


def _show(incident: str, seen: dict[str, Any]) -> None:
    out = screen()
    turns = seen["way"] == "turn-back"
    title = "turns back" if turns else "stops here; it can't turn back any more"
    out.print(state_text(State.NEEDS_PERSON, f"{incident} {title}: {seen['reason']}"))
    for line in seen["undone"]:
        out.print(f"  is undone: {line}")
    for line in seen["stays"]:
        out.print(f"  can't be undone: {line}" if turns else f"  {line}")
    out.print(states_table(seen["components"]))


def states_table(components: dict[str, dict[str, str]]) -> Any:
    """Component → its state in each region; the regions keep their places."""
    regions = list(dict.fromkeys(region for states in components.values() for region in states))
    rows = [[name, *(states.get(region, "") for region in regions)] for name, states in components.items()]
    return table(["component", *regions], rows)


def go_on(
    incident: str,
    *,
    by: Person,
    ungracefully: Annotated[
        bool,
        Parameter(
            name=["--ungracefully"], negative="", help="Don't wait for the source's orderly stop; people are asked again with the loss."
        ),
    ] = False,
    because: Because = "",
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Finish what an abort halted; or, with --ungracefully, go on without a source that died in the middle of a planned move.

    Example: `holdfast go-on inc-1-1 --as exercise-one`
    """
    arguments = {"incident": incident, "ungracefully": ungracefully, "reason": because}
    answer = give(controller_of(lab), "go-on", by, arguments)
    said(answer, output)


def attest(
    region: str,
    *,
    by: Person,
    because: Annotated[str, Parameter(help="How you know: it is kept in the journal.")],
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Attest that a region can't write, where its agent can't say so itself. Two different people of the approving roles must.

    It stands for a source's orderly stop, for a target that can't be told to turn back, and for an agent that a controller without memory
    can't hear. If it is wrong, writes can be lost: look at the place itself first.

    Example: `holdfast attest eu-west-1 --as aoife-brennan --because "the data centre has no power, the operator says"`
    """
    said(give(controller_of(lab), "attest", by, {"region": region, "reason": because}), output)


def pause(
    *,
    by: Person,
    because: Annotated[str, Parameter(help="Why: whoever finds it paused must know.")],
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Stop automatic action for the whole installation: nothing is opened, proposed, decided or begun by itself until `holdfast resume`.

    Watching, telling people, approvals, what was begun, aborts and the fence of a lost region go on.

    Example: `holdfast pause --as aoife-brennan --because "the network team works on the links until 04:00"`
    """
    said(give(controller_of(lab), "pause", by, {"reason": because}), output)


def resume(*, by: Person, because: Because = "", lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> None:
    """Allow automatic action again.

    Example: `holdfast resume --as aoife-brennan`
    """
    said(give(controller_of(lab), "resume", by, {"reason": because}), output)
