"""`holdfast plan`: what a run would change, before anybody begins it; and beginning exactly that, as long as the world stands still."""

import json
import math
import shlex
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, bindings_of, controller_of, give, state_of

if TYPE_CHECKING:
    from holdfast.app_foresight import Seen
    from holdfast.conduct.foresight import Foreseen
    from holdfast.conduct.world import World
    from holdfast.journal.record import Record
    from holdfast.providers.controller.client import ControllerClient

Form = Literal["text", "json"]
FormatOrFile = Annotated[
    Form | Path,
    Parameter(
        name=["--output", "-o"],
        help="Another word than `text` or `json` is a file to keep it in (`./json` is one, too); with both, `--out FILE -o json`.",
    ),
]
_VERBS = {"graceful": "switchover", "ungraceful": "declare"}
_PAGE = 1000


def plan(
    scenario: str,
    *,
    file: Annotated[Path, Parameter(name=["--file"], help="The plan document.")] = Path("examples/voicehive/plan.yaml"),
    mode: Annotated[
        Literal["graceful", "ungraceful"], Parameter(help="A planned move with both regions up, or the failover after a loss.")
    ] = "ungraceful",
    out: Annotated[Path | None, Parameter(name=["--out"], help="Keep it in this file, the same as `-o FILE`.")] = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: FormatOrFile = "text",
) -> None:
    """Show what a run would change, in what order, how long it takes, who must approve, and what can't be undone. Changes nothing.

    Times come from the journal's earlier runs where there are any, else they are upper bounds. A file made with `-o FILE` is bound to the
    plan, the region that serves, the epoch, and everything seen that the run rests on; `holdfast run --plan FILE` carries it out.

    Example: `holdfast plan regional-outage --mode graceful -o var/switchover.json`
    """
    from holdfast.cli.run import runnable_plan
    from holdfast.conduct.foresight import as_json, foresee
    from holdfast.conduct.runs import is_carried_out_by_people
    from holdfast.plan.people import Occasion

    form, kept = form_and_file(output, out)
    loaded = runnable_plan(file)
    if scenario not in loaded.plan.scenarios:
        raise CommandError(f"{file} has no scenario '{scenario}'; it has: {', '.join(loaded.plan.scenarios)}")
    if mode == "graceful" and is_carried_out_by_people(loaded.plan, scenario):
        raise CommandError(f"{scenario} is carried out by people and moves nothing, so there is no planned move; leave --mode graceful out")
    client = controller_of(lab)
    now: dict[str, Any] = dict(state_of(client))
    if now["plan"]["digest"] != loaded.digest:
        raise CommandError(f"the controller conducts another plan than {file}; name that one with --file", ExitCode.NOT_SO)
    world = _world(now, lab)
    occasion = Occasion.of(now["exercise"])
    foreseen = foresee(
        loaded.plan,
        scenario,
        mode,
        world,
        _records(client),
        now["now_seconds"],
        occasion=occasion,
        held_back=now["held_back"].get(scenario, ()),
    )
    if kept is not None:
        _keep(kept, json.dumps(as_json(foreseen), indent=2) + "\n")
    if form == "json":
        print_json(as_json(foreseen))
    else:
        _show(foreseen, kept)


def form_and_file(output: "Form | Path", out: Path | None) -> "tuple[Form, Path | None]":
    """What `-o` and `--out` come to: how it is printed, and the file that keeps it. Raises CommandError where they name two files."""
    if not isinstance(output, Path):
        return output, out
    if out not in (None, output):
        raise CommandError(f"-o names {output} and --out {out}; it is kept in one file")
    return "text", output


def _keep(file: Path, text: str) -> None:
    """Write it. Raises CommandError where that can't be, and for a file that is something else: no plan document is lost to `-o`."""
    if file.is_file() and file.stat().st_size and not is_foreseen(file):
        raise CommandError(f"{file} is there and was not made by `holdfast plan`, so it is left as it is; name another file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} can't be written: {error.strerror}; name another file") from error


def carry_out(file: Path, by: str, lab: Path, wanted_verb: str | None = None) -> str:
    """Begin what a file of `holdfast plan` says. Raises CommandError with everything that moved since, and then begins nothing."""
    from holdfast.conduct.foresight import world_of
    from holdfast.conduct.world import moved

    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        before, scenario, mode = world_of(value)
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{file} was not made by `holdfast plan`: {error}. Make it anew: `holdfast plan SCENARIO -o {file}`") from error
    verb = _VERBS[mode]
    if wanted_verb not in (None, verb):
        raise CommandError(f"{file} is a plan for `holdfast {verb}`, not for `holdfast {wanted_verb}`")
    client = controller_of(lab)
    now: dict[str, Any] = dict(state_of(client))
    target = next(region for region in now["regions"] if region != before.serving)
    needed = [target] if mode == "ungraceful" else [target, before.serving]
    if sentences := moved(before, _world(now, lab), needed):
        told = [f"  - {sentence}" for sentence in sentences]
        again = f"Look again: `holdfast plan {scenario} --mode {mode} -o {file}`"
        raise CommandError("\n".join([f"refused: the world has moved since {file} was made:", *told, again]), ExitCode.NOT_SO)
    bound = {name: getattr(before, name) for name in ("plan_digest", "serving", "era", "epoch")}
    return give(client, verb, by, {"foreseen": {**bound, "scenario": scenario, "digest": value["digest"]}})


def is_foreseen(file: Path) -> bool:
    """Whether a file is one that `holdfast plan` made: a JSON object, which no plan document is."""
    try:
        with file.open("rb") as opened:
            return opened.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def _world(now: dict[str, Any], lab: Path) -> "World":
    from holdfast.console.world_seen import world_seen

    found = _looked(lab)
    return world_seen(now, found.versions, found.instances, found.sizes)


def _looked(lab: Path) -> "Seen":
    import asyncio

    from holdfast.app_foresight import seen

    return asyncio.run(seen(bindings_of(lab)))


def _records(client: "ControllerClient") -> list["Record"]:
    from holdfast.journal.record import Record

    records: list[Record] = []
    while True:
        page = client.records(records[-1].sequence if records else 0)
        records += [Record(**value) for value in page]
        if len(page) < _PAGE:
            return records


def _show(foreseen: "Foreseen", kept: Path | None) -> None:
    screen_ = screen()
    behind = foreseen.not_now
    screen_.print(state_text(State.NEEDS_PERSON, f"not now: {'; '.join(behind)}") if behind else state_text(State.DONE, _title(foreseen)))
    if behind:
        screen_.print(_title(foreseen), markup=False)
    columns = ["step (◆ critical path)", "changes", "after", "takes"]
    screen_.print(table(columns, _rows(foreseen), numbers=["takes"]))
    screen_.print(table(["", ""], _facts(foreseen)))
    again = f"holdfast plan {foreseen.scenario} --mode {foreseen.mode} -o FILE"
    print_next("holdfast top" if behind else f"holdfast run --plan {shlex.quote(str(kept))} --as NAME" if kept else again)


def _title(foreseen: "Foreseen") -> str:
    from holdfast.conduct.runs import WAY_BACK
    from holdfast.plan.values import spoken_duration

    word = "the way home" if WAY_BACK in foreseen.runs else "switchover" if foreseen.mode == "graceful" else "failover"
    known = sum(step.earlier_runs > 0 for step in foreseen.steps)
    basis = "from earlier runs" if known == len(foreseen.steps) else f"at most; {known} of {len(foreseen.steps)} steps have run before"
    return f"{word} {foreseen.source} → {foreseen.target}: {spoken_duration(foreseen.expected_seconds)} ({basis})"


def _rows(foreseen: "Foreseen") -> list[list[str]]:
    """A row for each step, below one with the name of its phase."""
    from holdfast.plan.values import spoken_duration

    rows: list[list[str]] = []
    for phase, steps in groupby(foreseen.steps, key=lambda step: step.phase):
        rows.append([phase, "", "", ""])
        for step in steps:
            takes = ("" if step.earlier_runs else "≤ ") + spoken_duration(step.expected_seconds)
            rows.append(
                [f"· {step.step}{' ◆' if step.critical else ''}", step.changes_in_words, ", ".join(step.after) or "the start", takes]
            )
    return rows


def _facts(foreseen: "Foreseen") -> list[list[str]]:
    from holdfast.plan.values import spoken_duration

    loss, world = foreseen.may_lose_seconds, foreseen.world
    says = "can't be bounded" if loss is None else "nothing" if loss == 0 else f"at most the last {loss:.1f} s of acknowledged writes"
    ways = [
        f"{step.step}: {', then '.join(one['step'] for one in step.other_way['steps'])} ({step.other_way['when']})"
        for step in foreseen.steps
        if step.other_way
    ]
    unseen = dict.fromkeys(
        name for values in (world.versions, world.instances, world.sizes) for name, value in values.items() if value is None
    )
    return [
        ["critical path", " → ".join(foreseen.critical_path)],
        ["plan's window", spoken_duration(math.inf if foreseen.window_seconds is None else foreseen.window_seconds)],
        ["must approve", _must_approve(foreseen)],
        ["may lose", says if foreseen.moves_writers else "nothing of a store: no writer moves"],
        *[["can't be undone", f"{step.step}: {step.cannot_be_undone}"] for step in foreseen.steps if step.cannot_be_undone],
        *[["other way", way] for way in ways],
        ["unseen", ", ".join(unseen) or "nothing"],
    ]


def _must_approve(foreseen: "Foreseen") -> str:
    from holdfast.plan.values import spoken_duration

    rule = foreseen.approval
    if not rule["count"]:
        return "nobody: people carry it out themselves, a step at a time"
    people = ", ".join(rule["people"]) or "nobody: the plan's own rule can't be met"
    return f"{rule['count']} of {', '.join(rule['roles'])} within {spoken_duration(rule['answer_within_seconds'])}: {people}"
