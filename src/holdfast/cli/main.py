"""The command line: which commands there are, and what their exit says.

`COMMANDS` is the only list. A command is imported when it is called, so that `holdfast --help` stays quick. Commands return an exit code
(None is fine) and raise `CommandError` for what people must know. No logic lives here.

Exit codes: 0 fine · 1 what was asked about is not so · 2 bad input, nothing was done · 3 unknown, or an error in Holdfast itself ·
130 interrupted.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cyclopts import App, CycloptsError, MissingArgumentError, UnknownCommandError, UnusedCliTokensError

from holdfast import __version__
from holdfast.cli.output import CommandError, ExitCode, complain, print_json

TRACEBACK_VARIABLE = "HOLDFAST_TRACEBACK"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Command:
    """A command's name, where it lives (`module:attribute`, a function or an App), and its line in the list of commands."""

    name: str
    where: str
    summary: str


COMMANDS = (
    Command("check", "holdfast.cli.check:check", "Read a plan and say which of its promises it can't keep."),
    Command("forecast", "holdfast.cli.forecast:forecast", "Say how likely each function is back in time, and what would help most."),
    Command("cost", "holdfast.cli.cost:cost", "Say what an outage of one function costs and breaks."),
    Command("explain", "holdfast.cli.explain:explain", "Say what a rule of `check` means and how to mend what it finds."),
    Command("schema", "holdfast.cli.writing:schema", "Print the plan's format as a JSON Schema for editors."),
    Command("set", "holdfast.cli.writing:set_value", "Change one value of a plan, keeping its comments."),
    Command("answer", "holdfast.cli.writing:answer", "Answer a question that the plan leaves open."),
    Command("contacts", "holdfast.cli.contacts:app", "Keep people's e-mail and telephone apart from the plan, encrypted."),
    Command("import", "holdfast.cli.importing:import_", "Read a plan written as a document, and say what was understood."),
    Command("drill", "holdfast.cli.drill:app", "Practise a scenario on the lab and measure what clients lost."),
    Command("lab", "holdfast.cli.lab:app", "Two regions on one machine, from real servers: start, cut, heal, stop."),
    Command("plan", "holdfast.cli.foresee:plan", "Show what a run would change, how long it takes, and who must approve."),
    Command("run", "holdfast.cli.run:run", "Run the controller: watch, open incidents, ask people, act."),
    Command("serve", "holdfast.cli.serve:serve", "Serve the incident's pages, and the doors for alerts and answers."),
    Command("token", "holdfast.cli.serve:token", "Tokens with which machines enter `holdfast serve`."),
    Command("account", "holdfast.cli.serve:account", "Local accounts of people, for when single sign-on is down."),
    Command("status", "holdfast.cli.status:status", "Say what serves, what is wrong, and who must act."),
    Command("top", "holdfast.cli.top:top", "Show regions, links, clocks and who must act, once a second."),
    Command("approve", "holdfast.cli.deciding:approve", "Approve what is proposed, knowing what it may lose."),
    Command("confirm", "holdfast.cli.deciding:confirm", "Say that what an alert from outside opened is so."),
    Command("refuse", "holdfast.cli.deciding:refuse", "Decide against what is proposed."),
    Command("choose", "holdfast.cli.deciding:choose", "Say how a step that waits for a person goes on."),
    Command("ack", "holdfast.cli.messages:acknowledge", "Say that you have it: nobody else is called for your role."),
    Command("messages", "holdfast.cli.messages:app", "Who was told what, what is due, late or unanswered; write its words."),
    Command("oncall", "holdfast.cli.oncall:app", "Who is on call, and the hand-overs; as a calendar, in and out."),
    Command("declare", "holdfast.cli.deciding:declare", "Declare the serving region lost, whatever the triggers say."),
    Command("failback", "holdfast.cli.deciding:failback", "Bring the service home."),
    Command("switchover", "holdfast.cli.deciding:switchover", "Propose a planned move to the DR region."),
    Command("abort", "holdfast.cli.turning:abort", "Turn back, knowing first what is undone and what can't be."),
    Command("go-on", "holdfast.cli.turning:go_on", "Finish what was halted, or go on without a source that died."),
    Command("attest", "holdfast.cli.turning:attest", "Attest, two people together, that a silent region can't write."),
    Command("pause", "holdfast.cli.turning:pause", "Stop automatic action for the whole installation."),
    Command("resume", "holdfast.cli.turning:resume", "Allow automatic action again."),
    Command("unprotect", "holdfast.cli.protecting:unprotect", "Let a writer in synchronous mode go on without its standby."),
    Command("protect", "holdfast.cli.protecting:protect", "Let a writer wait for its standby again."),
    Command("divergence", "holdfast.cli.divergence:app", "What only the lost side held: show it, and give chosen rows back."),
    Command("export", "holdfast.cli.exporting:export", "Write the plan as Markdown, HTML or PDF, to print and to hand over."),
    Command("diff", "holdfast.cli.comparing:diff", "Say what a change of the plan means."),
    Command("graph", "holdfast.cli.graphing:graph", "Draw what stands on what, and the regions."),
    Command("report", "holdfast.cli.report:report", "Show a report again."),
    Command("canary", "holdfast.cli.canary:canary", "Measure in production what clients get, all the time."),
    Command("availability", "holdfast.cli.availability:availability", "Say how much of the time each function served."),
    Command("journal", "holdfast.cli.journal:app", "Read the journal and prove that nobody changed it."),
    Command("observe", "holdfast.cli.observe:observe", "Watch from one site and answer with what was seen."),
)

_EPILOGUE = (
    "Exit: 0 fine, 1 what was asked about is not so, 2 bad input and nothing was done, 3 unknown. "
    f"Set {TRACEBACK_VARIABLE}=1 to see where an unexpected error came from."
)


def application(called: str = "") -> App:
    """The whole command line, with nothing imported yet but itself. `called`: the command that is shown in its own words."""
    app = App(
        name="holdfast",
        help="Makes a business continuity plan executable: checks it, watches, decides with people, acts, and measures what clients lost.",
        help_epilogue=_EPILOGUE,
        version=__version__,
        help_format="plaintext",  # it reads the same, and is shown before a renderer of Markdown would be imported
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for command in COMMANDS:
        app.command(command.where, name=command.name, help=None if command.name == called else command.summary)
    return app


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; returns its exit code and never raises for what a command does."""
    try:
        answer = application(next(iter(arguments), ""))(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _failed(arguments, _misunderstood(error), ExitCode.BAD_INPUT)
    except CommandError as error:
        return _failed(arguments, str(error), error.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted. Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FINE
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE) == "1":
            raise
        said = (
            f"an error that Holdfast did not expect: {type(error).__name__}: {error}\n"
            f"What was done before it stays as it is. To see where it came from, run the same with {TRACEBACK_VARIABLE}=1."
        )
        return _failed(arguments, said, ExitCode.UNKNOWN)
    return int(answer) if isinstance(answer, int) else ExitCode.FINE


def _failed(arguments: Sequence[str], text: str, code: int) -> int:
    """Say it to the person on standard error, and to a program that asked for JSON on standard output too."""
    complain(text)
    if wants_json(arguments):
        print_json({"error": text, "exit_code": int(code)})
    return code


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, whatever else is wrong with it."""
    given = [*arguments, ""]
    return any(
        word in ("-o=json", "--output=json", "-ojson") or (word in ("-o", "--output") and following == "json")
        for word, following in pairwise(given)
    )


def _misunderstood(error: CycloptsError) -> str:
    """What is wrong with a command line, in the words of its help."""
    called = " ".join(error.command_chain or ())
    asks = f"`holdfast {called} --help` shows an example" if called else "`holdfast --help` lists the commands"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        field = error.argument.field_info
        named = field.name.upper() if field.is_positional else error.argument.name
        return f"`holdfast {called}` needs {named}; {asks}"
    if isinstance(error, UnusedCliTokensError):
        return f"`holdfast {called}` takes no {', '.join(error.unused_tokens or ())}; {asks}"
    if isinstance(error, UnknownCommandError) and not called:
        return f"there is no command '{error.unused_tokens[0] if error.unused_tokens else ''}'; {asks}"
    said = " ".join(str(error).split()).removesuffix(".")
    return f"{said} {asks[0].upper()}{asks[1:]}" if said.endswith("?") else f"{said}; {asks}"


def main() -> None:
    """Entry point of the program `holdfast`."""
    sys.exit(run(sys.argv[1:]))
