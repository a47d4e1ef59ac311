"""`holdfast plan`: what a run would change, before anybody begins it; and beginning exactly that, as long as the world stands still."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, State, print_json, print_next, screen, state_text, table
from holdfast.cli.reach import DEFAULT_LAB, LabDirectory, bindings_of, controller_of, give, state_of

if TYPE_CHECKING:
    from holdfast.conduct.foresight import Foreseen, World
    from holdfast.journal.record import Record
    from holdfast.providers.controller.client import ControllerClient

_VERBS = {"graceful": "switchover", "ungraceful": "declare"}
_PAGE = 1000


def plan(
    scenario: str,
    *,
    file: Annotated[Path, Parameter(name=["--file"], help="The plan document.")] = Path("examples/voicehive/plan.yaml"),
    mode: Annotated[
        Literal["graceful", "ungraceful"], Parameter(help="A planned move with both regions up, or the failover after a loss.")
    ] = "ungraceful",
    out: Annotated[Path | None, Parameter(name=["--out"], help="Keep it in a file that `holdfast run --plan` carries out.")] = None,
    lab: LabDirectory = DEFAULT_LAB,
    output: OutputFormat = "text",
) -> None:
    """Show what a run would change, in what order, how long it takes, who must approve, and what can't be undone. Changes nothing.

    Times come from the journal's earlier runs where there are any, else they are upper bounds. A file made with `--out` is bound to the
    plan, the region that serves, the epoch, the versions and the sizes seen. (`-o json` is the output format, as everywhere.)

    Example: `holdfast plan regional-outage --mode graceful --out var/switchover.json`
    """
    from holdfast.cli.run import runnable_plan
    from holdfast.conduct.foresight import as_json, foresee
    from holdfast.plan.people import Occasion

    loaded = runnable_plan(file)
    if scenario not in loaded.plan.scenarios:
        raise CommandError(f"{file} has no scenario '{scenario}'; it has: {', '.join(loaded.plan.scenarios)}")
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
        loss=now["loss"]["bound_seconds"],
    )
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(as_json(foreseen), indent=2) + "\n", encoding="utf-8")
    if output == "json":
        print_json(as_json(foreseen))
    else:
        _show(foreseen, out)


def carry_out(file: Path, by: str, lab: Path, wanted_verb: str | None = None) -> str:
    """Begin what a file of `holdfast plan` says. Raises CommandError with everything that moved since, and then begins nothing."""
    from holdfast.conduct.foresight import moved, world_of

    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        before, scenario, mode = world_of(value)
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(
            f"{file} was not made by `holdfast plan`: {error}. Make it anew: `holdfast plan SCENARIO --out {file}`"
        ) from error
    verb = _VERBS[mode]
    if wanted_verb not in (None, verb):
        raise CommandError(f"{file} is a plan for `holdfast {verb}`, not for `holdfast {wanted_verb}`")
    client = controller_of(lab)
    now: dict[str, Any] = dict(state_of(client))
    target = next(region for region in now["regions"] if region != before.serving)
    needed = [target] if mode == "ungraceful" else [target, before.serving]
    if sentences := moved(before, _world(now, lab), needed):
        told = [f"  - {sentence}" for sentence in sentences]
        again = f"Look again: `holdfast plan {scenario} --mode {mode} --out {file}`"
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
    import asyncio

    from holdfast.app_foresight import seen
    from holdfast.conduct.foresight import World

    versions, sizes = asyncio.run(seen(bindings_of(lab)))
    return World(now["plan"]["digest"], now["serving"], now["era"], now["epoch"], versions, sizes)


def _records(client: "ControllerClient") -> list["Record"]:
    from holdfast.journal.record import Record

    records: list[Record] = []
    while True:
        page = client.records(records[-1].sequence if records else 0)
        records += [Record(**value) for value in page]
        if len(page) < _PAGE:
            return records


def _show(foreseen: "Foreseen", out: Path | None) -> None:
    from holdfast.conduct.runs import WAY_BACK
    from holdfast.plan.values import spoken_duration

    screen_ = screen()
    word = "the way home" if WAY_BACK in foreseen.runs else "switchover" if foreseen.mode == "graceful" else "failover"
    known = sum(step.earlier_runs > 0 for step in foreseen.steps)
    basis = "from earlier runs" if known == len(foreseen.steps) else f"at most; {known} of {len(foreseen.steps)} steps have run before"
    title = f"{word} {foreseen.source} → {foreseen.target}: {spoken_duration(foreseen.expected_seconds)} ({basis})"
    screen_.print(state_text(State.DONE, title))
    rows = [
        [
            step.phase,
            f"{step.step}{' ◆' if step.critical else ''}",
            step.block + (f" {step.component}" if step.component else ""),
            ", ".join(step.after) or "the start",
            ("" if step.earlier_runs else "≤ ") + spoken_duration(step.expected_seconds),
        ]
        for step in foreseen.steps
    ]
    screen_.print(table(["phase", "step (◆ critical path)", "changes", "after", "takes"], rows, numbers=["takes"]))
    rule, loss = foreseen.approval, foreseen.may_lose_seconds
    people = ", ".join(rule["people"]) or "nobody: the plan's own rule can't be met"
    never = [[step.step, step.cannot_be_undone] for step in foreseen.steps if step.cannot_be_undone]
    says = "can't be bounded" if loss is None else "nothing" if loss == 0 else f"at most the last {loss:.1f} s of acknowledged writes"
    ways = [
        f"{step.step}: {', then '.join(one['step'] for one in step.other_way['steps'])} ({step.other_way['when']})"
        for step in foreseen.steps
        if step.other_way
    ]
    unseen = [name for name, value in {**foreseen.world.versions, **foreseen.world.sizes}.items() if value is None]
    facts = [
        ["critical path", " → ".join(foreseen.critical_path)],
        ["plan's window", spoken_duration(math.inf if foreseen.window_seconds is None else foreseen.window_seconds)],
        [
            "must approve",
            f"{rule['count']} of {', '.join(rule['roles'])} within {spoken_duration(rule['answer_within_seconds'])}: {people}",
        ],
        ["may lose", says if foreseen.moves_writers else "nothing of a store: no writer moves"],
        *[["can't be undone", f"{step}: {text}"] for step, text in never],
        *[["other way", way] for way in ways],
        ["unseen", ", ".join(unseen) or "nothing"],
    ]
    screen_.print(table(["", ""], facts))
    command = f"holdfast run --plan {out} --as NAME" if out else f"holdfast plan {foreseen.scenario} --mode {foreseen.mode} --out FILE"
    print_next(command)
