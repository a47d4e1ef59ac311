"""`holdfast messages` and `holdfast ack`: who was told what and when, the words of what is to come, and: I have it."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from holdfast.cli.deciding import Person, said
from holdfast.cli.output import (
    CommandError,
    ExitCode,
    OutputFormat,
    State,
    exercise_line,
    file_or_dash,
    print_json,
    print_next,
    screen,
    state_text,
    table,
)
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, controller_of, give, state_of

app = App(name="messages", result_action="return_value")

_MOST_NAMED = 2
_ONE_LINE = ("sms", "phone", "in-app")
"""Channels with room for the short form only."""


@app.default
def messages(*, lab: LabDirectory = DEFAULT_LAB, output: OutputFormat = "text") -> int:
    """Messages of the last incident: due, sent, delivered, acknowledged, late. Exit code 1 when one is late or was given up.

    Example: `holdfast messages`, `holdfast messages -o json`
    """
    now = dict(state_of(controller_of(lab)))
    incident: Any = now["incident"]
    if incident is None:
        raise CommandError("there was no incident, so nobody was told anything; `holdfast status` shows what is so", ExitCode.NOT_SO)
    lines = incident["messages"]
    late = sum(line["late"] or line["given_up"] for line in lines)
    if output == "json":
        shown = {name: incident[name] for name in ("incident", "exercise", "scale", "calling")}
        print_json({**shown, "impact_seconds": incident["impact_seconds"], "messages": lines})
        return ExitCode.NOT_SO if late else ExitCode.FINE
    _print(incident, lines)
    return ExitCode.NOT_SO if late else ExitCode.FINE


def _print(incident: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    out = screen()
    sent, all_of_them, late, given_up = (sum(line[name] for line in lines) for name in ("sent", "recipients", "late", "given_up"))
    lost = f", {given_up} given up" if given_up else ""
    first = f"{incident['incident']}: {sent} of {all_of_them} deliveries sent, {late} late{lost}" + _scaled(incident)
    shown = state_text(State.FAILED if late or given_up else State.DONE, first)
    out.print(exercise_line(shown) if incident["exercise"] else shown)
    columns = ["message", "over", "to", "due", "sent", "arrived", "acknowledged", "state"]
    out.print(table(columns, [_row(incident, line) for line in lines], numbers=["due", "sent", "arrived", "acknowledged"]))
    out.print("arrived: what the channel says was delivered; acknowledged: how many of them say that they have it", markup=False)
    if given_up:
        out.print("given up: no channel took it by the time it was due, and nothing more is tried; tell them yourself", markup=False)
    unanswered = incident["calling"]["unanswered"]
    if unanswered:
        out.print(state_text(State.NEEDS_PERSON, f"nobody has answered for {', '.join(unanswered)}"))
        print_next(f"holdfast ack {incident['incident']} --as NAME")
    else:
        print_next("holdfast status")


def _scaled(incident: dict[str, Any]) -> str:
    return "" if incident["scale"] == 1 else f"; the plan's clock runs {incident['scale']:g} times as fast"


def _row(incident: dict[str, Any], line: dict[str, Any]) -> list[Any]:
    from holdfast.report.wording import duration

    def after(at_seconds: float | None) -> str:
        return "" if at_seconds is None else duration((at_seconds - incident["impact_seconds"]) * incident["scale"])

    named = [who.removeprefix("exercise:").replace("+", ", ") for who in line["to"][:_MOST_NAMED]]
    more = line["recipients"] - len(named)
    told = ", ".join(named) + (f" and {more} more" if more > 0 else "")
    due, sent = after(line["due_seconds"]), after(line["last_sent_seconds"])
    return [line["message"], line["channel"], told, due, sent, str(line["delivered"]), str(line["acknowledged"]), _state(line)]


def _state(line: dict[str, Any]) -> Any:
    if line["given_up"]:
        return state_text(State.FAILED, f"{line['given_up']} given up")
    if line["late"]:
        return state_text(State.FAILED, f"{line['late']} late")
    if line["sent"] == line["recipients"]:
        return state_text(State.DONE, "in time")
    return state_text(State.RUNNING, "to come") if not line["failures"] else state_text(State.UNKNOWN, "tried again")


@app.command
def edit(
    incident: str,
    message: str,
    *,
    by: Person,
    subject: str | None = None,
    body: str | None = None,
    short: Annotated[str | None, Parameter(help="One sentence, for text messages and calls.")] = None,
    file: Annotated[
        Path | None, Parameter(help="Where the body stands; `-` is standard input.", allow_leading_hyphen=True, validator=file_or_dash)
    ] = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Write the words of the next message of a kind, before it goes out. If nobody does, the plan's words go out on time.

    What is left out stays as the plan has it. `{state}` and the other fields are filled in; docs/messages.md lists them.

    Example: `holdfast messages edit inc-1-1 status --as nadia-haddad --subject "We are on it" --body "{state}. Next update {next_update}."`
    """
    if file is not None:
        try:
            body = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} can't be read as text: {error}. Nothing was changed.") from error
    state_now: Any = state_of(controller_of(lab))["incident"]
    if state_now is None or state_now["incident"] != incident:
        raise CommandError(f"{incident} is not the open incident; `holdfast status` shows which is", ExitCode.NOT_SO)
    arguments = {"message": message, "subject": subject, "body": body, "short": short}
    said(give(controller_of(lab), "edit-message", by, dict(arguments)), output)


@app.command
def explain(
    incident: str,
    *,
    by: Person,
    cause: Annotated[str | None, Parameter(help="Why it happened, in a sentence.")] = None,
    review: Annotated[str | None, Parameter(help="Where the review stands: when it is, or where its report is found.")] = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Say why it happened and where the review stands: messages say so from then on, as {cause} and {report}. The last word counts.

    Example: `holdfast messages explain inc-1-1 --as nadia-haddad --cause "A cable was cut" --review "On Monday at 10:00"`
    """
    said(give(controller_of(lab), "explain", by, {"incident": incident, "cause": cause, "review": review}), output)


@app.command
def preview(
    plan: Path,
    message: str,
    *,
    channel: Annotated[str | None, Parameter(help="As this channel shows it; every channel of the message when absent.")] = None,
    audience: Annotated[str | None, Parameter(help="Only this role or audience; everybody when absent.")] = None,
    exercise: Annotated[bool, Parameter(negative="", help="As an exercise says it.")] = False,
    output: OutputFormat = "text",
) -> None:
    """Show a message of the plan with made-up facts, as each channel and audience gets it.

    Example: `holdfast messages preview examples/voicehive/plan.yaml customers --channel sms --audience customers`
    """
    from holdfast.cli.run import loaded_plan
    from holdfast.communications.previewing import PreviewError, previewed

    try:
        shown = previewed(loaded_plan(plan).plan, message, channel, audience, "exercise-preview" if exercise else None)
    except PreviewError as error:
        raise CommandError(f"{plan}: {error}") from error
    if output == "json":
        print_json(shown)
        return
    out = screen()
    out.print(f"{message}, with made-up facts: {shown.when}", markup=False)
    for one in shown.channels:
        out.print(f"\n{one.channel}, to {', '.join(one.recipients) or 'nobody'}", style="bold", markup=False)
        short = one.channel in _ONE_LINE
        out.print(one.short if short else f"{one.subject}\n\n{one.body.rstrip()}", markup=False)
    print_next(f"holdfast check {plan}")


def acknowledge(
    incident: str,
    *,
    by: Person,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Say that you have it: you answer for your roles, and nobody else is called for them. Who answers late joins.

    The journal says that it was said here (`cli`); other ways are written by the doors that prove them.

    Example: `holdfast ack inc-1-1 --as aoife-brennan`
    """
    said(give(controller_of(lab), "ack", by, {"incident": incident, "way": "cli"}), output)
