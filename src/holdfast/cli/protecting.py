"""`unprotect` and `protect`: what a writer in synchronous mode does without its standby. Thin: the controller says what each does."""

from typing import Annotated, Any

from cyclopts import Parameter

from holdfast.cli.asking import ask
from holdfast.cli.deciding import Person, said
from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of, give, state_of


def unprotect(
    component: str,
    *,
    by: Person,
    because: Annotated[str, Parameter(help="Why: whoever finds it unprotected must know.")],
    yes: Annotated[bool, Parameter(name=["--yes", "-y"], negative="", help="Don't ask for the region's name first.")] = False,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Drop the protection of a database or cache: it goes on without its standby. Says first what can't be undone, and what may be lost.

    In synchronous mode a writer whose standby is gone acknowledges nothing. Only who may approve a failover can let it go on unprotected.
    One of them is enough: the right to write does not move, nothing is stopped, and `holdfast protect` takes it back.

    Example: `holdfast unprotect database --as aoife-brennan --because "eu-central-1 has no power until noon"`
    """
    client = controller_of(lab)
    now: Any = state_of(client)
    outlook = _outlook(now, component)
    if output == "text":
        _show(outlook)
    if not yes:
        ask(f"Type the name of the region that goes on unprotected ({outlook['region']})", outlook["region"], "not done")
    answer = give(client, "unprotect", by, {"component": component, "reason": because})
    if output == "json":
        print_json({"answer": answer, "outlook": outlook})
        return
    screen().print(state_text(State.DONE, answer))
    print_next("holdfast status")


def _outlook(now: dict[str, Any], component: str) -> dict[str, Any]:
    """What dropping its protection means. Raises CommandError for what has none."""
    shown = now["protection"]
    known = {one["component"]: one for one in shown["components"]}
    if shown["replication"] != "synchronous":
        raise CommandError(
            "this installation replicates asynchronously: there is no protection to drop. Nothing was done.", ExitCode.NOT_SO
        )
    if component not in known:
        raise CommandError(f"'{component}' has no protection to drop; that has: {', '.join(known)}. Nothing was done.", ExitCode.NOT_SO)
    one = known[component]
    return {
        "component": component,
        "region": one["region"],
        "does": f"{one['title']} in {one['region']} no longer waits for its standby",
        "cannot_be_undone": "writes that wait now are acknowledged at once, though no other region has them",
        "may_lose": f"if {one['region']} is lost before it is protected again, what was acknowledged since its standby's last word is lost",
        "way_back": f"holdfast protect {component} --as NAME",
    }


def _show(outlook: dict[str, Any]) -> None:
    out = screen()
    out.print(state_text(State.NEEDS_PERSON, outlook["does"]))
    out.print(f"  can't be undone: {outlook['cannot_be_undone']}", markup=False)
    out.print(f"  may lose: {outlook['may_lose']}", markup=False)
    out.print(f"  the way back: {outlook['way_back']}", markup=False)


def protect(component: str, *, by: Person, lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> None:
    """Protect a database or cache again: each write waits for its standby. Refused while the standby isn't seen to be near.

    Example: `holdfast protect database --as aoife-brennan`
    """
    said(give(controller_of(lab), "protect", by, {"component": component}), output)
