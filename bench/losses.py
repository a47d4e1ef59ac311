"""Whether the bound on loss that approvers see holds when copies really are behind: many drills, each with its own seed.

Run: python -m bench.losses [TIMES] [--replication synchronous] [--profile patient] [--seed FIRST]. In each drill clients write, what the
primary region sends to the other is cut, up to 3 s later the whole region is, people approve by the bound that they are shown, and the
other region takes over. The profile `patient` is added to the reference plan here; on a crowded machine a lease of 3 s is lost too often.
What that lost is counted from the clients' ledgers against the stores that serve then, before anything comes back from the lost region.
Seeds count from FIRST, so `bench.losses 1 --seed N` does the one with seed N again. What was stopped is finished by `--go-on`.

Rules: a drill in which nothing was cut, or in which nobody wrote just before it (a lab that did not come up, say), is *disturbed*; one of
which the bound or the loss is not known is *unknown*. Both are counted by themselves, and another seed is taken for each, up to twice as
many drills. Exit code 1 when a true loss was above its bound or, synchronously, an acknowledged write of PostgreSQL or Redis was lost; 3
when fewer than asked for could be compared.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from holdfast.drill.conclusion import conclude
from holdfast.drill.drilling import DrillResult, run_drill
from holdfast.drill.settings import DrillSettings
from holdfast.journal.kinds import Kind
from holdfast.lab.ground import LabProblem
from holdfast.ledger.measure import acknowledged_writes
from holdfast.plan.loader import LoadedPlan, load
from holdfast.report.losses import failover_loss
from holdfast.report.model import Report

PLACE = Path("var/losses")
PLAN = Path("examples/voicehive/plan.yaml")
MOST_LAG_SECONDS = 3.0
LATELY_SECONDS = 1.0
PATIENT = "  patient: { lease: 20s, hold: 3s, probe_timeout: 8s }\n"
"""A profile for a machine that is busy with other things: it takes a pause of a few seconds for nothing more."""
Replication = Literal["asynchronous", "synchronous"]
Verdict = Literal["within", "above", "unknown", "disturbed"]


COMPARED = ("within", "above")
KEPT = "compared.json"


@dataclass(frozen=True)
class Settings:
    """What all drills of one run share. `place`: what they leave is below it."""

    times: int
    replication: Replication
    profile: str
    loaded: LoadedPlan
    place: Path


@dataclass(frozen=True)
class Compared:
    """One drill. Seconds; None for what is not known."""

    seed: int
    lag_seconds: float
    verdict: Verdict
    bound_seconds: float | None = None
    estimated_writes: float | None = None
    true_seconds: float | None = None
    lost: Mapping[str, int] = field(default_factory=dict)
    """Store → acknowledged writes that the other region did not have."""
    acknowledged: int = 0
    took_seconds: float = 0.0
    why: str = ""

    @property
    def share(self) -> float | None:
        """The true loss as a share of the bound: 1 would be a bound without any reserve."""
        return None if not self.bound_seconds or self.true_seconds is None else self.true_seconds / self.bound_seconds


def lag_of(seed: int) -> float:
    """How long before the region the link to its copies is cut."""
    return round(random.Random(seed).uniform(0.0, MOST_LAG_SECONDS), 3)


def compared(seed: int, wanted: Settings, directory: Path) -> Compared:
    """One drill, and its bound held against its loss."""
    lag, begun = lag_of(seed), time.monotonic()
    settings = DrillSettings(
        wanted.loaded.path.resolve(),
        "regional-outage",
        directory,
        profile=wanted.profile,
        replication=wanted.replication,
        copies_cut_seconds=lag,
        ends="promoted",
        needs="bounded",  # busy or not: the bound must hold
        warm_up_seconds=1.0,
        ready_bound_seconds=240.0,
        failover_bound_seconds=300.0,
    )
    said: list[str] = []
    try:
        result = run_drill(settings, wanted.loaded, lambda line: said.append(line.text))
    except LabProblem as problem:
        return Compared(seed, lag, "disturbed", took_seconds=time.monotonic() - begun, why=str(problem))
    report = conclude(settings, wanted.loaded, result, directory)
    (directory / "said.txt").write_text("\n".join(said) + "\n", encoding="utf-8")
    found = _judged(seed, lag, time.monotonic() - begun, result, report)
    if found.verdict == "within":
        shutil.rmtree(directory / "lab")
    return found


def _judged(seed: int, lag: float, took: float, result: DrillResult, report: Report) -> Compared:
    cut = next((r.body["at_seconds"] for r in result.evidence.records if r.kind == Kind.EXERCISE_MARK and r.body["what"] == "cut"), None)
    if cut is None:
        return Compared(seed, lag, "disturbed", took_seconds=took, why=result.ended_early or "the region was never cut")
    if not _wrote(result, written_since(cut, lag, report.replication), cut):
        return Compared(seed, lag, "disturbed", took_seconds=took, why="no client's write was acknowledged shortly before the cut")
    bound, evidence = report.loss_bound, result.evidence
    held: Mapping[bool | None, Verdict] = {True: "within", False: "above", None: "unknown"}
    lost = [
        entry.store or ""
        for entries in (evidence.ledgers or {}).values()
        for entry in failover_loss(entries, evidence.after_failover_contents, (), _epoch(result)).lost
    ]
    return Compared(
        seed,
        lag,
        held[bound.held],
        bound.seconds,
        bound.estimated_writes,
        bound.true_seconds,
        dict(Counter(lost)),
        sum(function.acknowledged_writes or 0 for function in report.functions),
        took,
        result.ended_early or ("" if bound.held is not None else "the bound or the loss is not known"),
    )


def written_since(cut_seconds: float, lag_seconds: float, replication: Replication) -> float:
    """From when on somebody must have been acknowledged for a drill to say anything of what is lost.

    Synchronously nobody is any more once the copies are cut, which is what that mode promises: then it is the time before that.
    """
    if replication == "synchronous":
        return cut_seconds - lag_seconds - LATELY_SECONDS
    return cut_seconds - max(lag_seconds, LATELY_SECONDS)


def _wrote(result: DrillResult, since: float, until: float) -> bool:
    entries = (entry for ledger in (result.evidence.ledgers or {}).values() for entry in acknowledged_writes(ledger))
    return any(since <= entry.answered_seconds <= until for entry in entries)


def _epoch(result: DrillResult) -> int | None:
    opened = [record.body["epoch"] for record in result.evidence.records if record.kind == Kind.EPOCH_OPENED]
    return int(opened[0]) if opened else None


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} s"


def line(number: int, one: Compared) -> str:
    """One drill in a line."""
    if one.verdict == "disturbed":
        return f"{number:3}  seed {one.seed:4}  disturbed after {one.took_seconds:.0f} s: {one.why.splitlines()[0]}"
    estimate = "unknown" if one.estimated_writes is None else f"{one.estimated_writes:.0f}"
    share = "" if one.share is None else f"{100 * one.share:.0f} %"
    stores = ", ".join(f"{store} {count}" for store, count in sorted(one.lost.items())) or "none"
    parts = (
        f"{number:3}  seed {one.seed:4}  lag {one.lag_seconds:.2f} s",
        f"bound {_seconds(one.bound_seconds):>7}, about {estimate:>4} writes",
        f"true {_seconds(one.true_seconds):>7}, {sum(one.lost.values()):4} writes",
        f"{one.verdict:7} {share:>5}  ({stores}; {one.took_seconds:.0f} s)",
        *one.why.splitlines()[:1],
    )
    return "  ".join(parts)


def table(found: Sequence[Compared]) -> str:
    """Minimum, median and maximum of what was compared."""
    rows: Sequence[tuple[str, Callable[[Compared], float | None]]] = (
        ("lag given, s", lambda one: one.lag_seconds),
        ("bound shown, s", lambda one: one.bound_seconds),
        ("true loss, s", lambda one: one.true_seconds),
        ("true loss / bound", lambda one: one.share),
        ("writes, estimated", lambda one: one.estimated_writes),
        ("writes lost", lambda one: float(sum(one.lost.values()))),
    )
    lines = [f"{'':20}{'minimum':>9}{'median':>9}{'maximum':>9}"]
    for words, of in rows:
        values = [value for one in found if (value := of(one)) is not None]
        if values:
            lines.append(f"{words:20}{min(values):9.2f}{statistics.median(values):9.2f}{max(values):9.2f}")
    return "\n".join(lines)


def lost_synchronously(found: Sequence[Compared], loaded: LoadedPlan) -> int:
    """Acknowledged rows and keys that were lost though they were to be copied before they were acknowledged. Buckets always copy later:
    what they lose is held to the bound alone, as by the report's rule `synchronous`."""
    stores = (*loaded.plan.components_of("postgres"), *loaded.plan.components_of("redis"))
    return sum(one.lost.get(store, 0) for one in found for store in stores)


def told(found: Sequence[Compared], settings: Settings) -> str:
    """What all of them come to."""
    counts = Counter(one.verdict for one in found)
    whole = [one for one in found if one.verdict in COMPARED]
    writes = sum(one.acknowledged for one in whole)
    lines = [
        "",
        f"{settings.replication}, profile {settings.profile}, {writes:,} acknowledged writes looked for",
        table(whole),
        "",
        f"{len(whole)} of {settings.times} compared: the true loss was above the bound in {counts['above']}; "
        f"{counts['unknown']} unknown, {counts['disturbed']} disturbed",
    ]
    if settings.replication == "synchronous":
        kept = lost_synchronously(found, settings.loaded)
        lines.append(f"acknowledged rows and keys lost, of which none may be: {kept}")
        lines.append(f"objects lost, which no bucket copies before it acknowledges: {sum(sum(one.lost.values()) for one in found) - kept}")
    return "\n".join(lines)


def exit_code(found: Sequence[Compared], settings: Settings) -> int:
    """1: a bound was broken, or a write lost that must not be. 3: too few are known."""
    if any(one.verdict == "above" for one in found):
        return 1
    if settings.replication == "synchronous" and lost_synchronously(found, settings.loaded):
        return 1
    return 0 if sum(one.verdict in COMPARED for one in found) >= settings.times else 3


def earlier(settings: Settings) -> list[Compared]:
    """What runs with the same settings compared before, by seed."""
    files = sorted(settings.place.glob(f"seed-*/{KEPT}"))
    return [Compared(**json.loads(file.read_text(encoding="utf-8"))) for file in files]


def run(settings: Settings, first_seed: int, found: list[Compared]) -> None:
    """Drills until so many are compared, at most twice as many; each is kept and told at once."""
    known = {one.seed for one in found}
    for seed in range(first_seed, first_seed + 2 * settings.times):
        if sum(one.verdict in COMPARED for one in found) >= settings.times:
            return
        if seed in known:
            continue
        directory = settings.place / f"seed-{seed:04}"
        shutil.rmtree(directory, ignore_errors=True)
        one = compared(seed, settings, directory)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / KEPT).write_text(json.dumps(asdict(one)) + "\n", encoding="utf-8")
        found.append(one)
        print(f"{line(len(found), one)}  load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.losses")
    parser.add_argument("times", type=int, nargs="?", default=50)
    parser.add_argument("--replication", choices=("asynchronous", "synchronous"), default="asynchronous")
    parser.add_argument("--profile", choices=("fast", "patient", "default"), default="fast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--go-on", action="store_true", help="keep what an earlier run with the same settings compared, and do the rest")
    given = parser.parse_args()
    place = (PLACE / f"{given.replication}-{given.profile}").resolve()
    place.mkdir(parents=True, exist_ok=True)
    settings = Settings(given.times, given.replication, given.profile, _plan(place), place)
    found = earlier(settings) if given.go_on else []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a kill is a Ctrl-C: the drill under way ends in order
    with suppress(KeyboardInterrupt):  # what was compared until then is still told
        run(settings, given.seed, found)
    print(told(found, settings))
    return exit_code(found, settings)


def _plan(place: Path) -> LoadedPlan:
    """The reference plan with the patient profile added."""
    plan = place / "plan.yaml"
    plan.write_text(PLAN.read_text(encoding="utf-8").replace("\nprofiles:\n", f"\nprofiles:\n{PATIENT}", 1), encoding="utf-8")
    return load(plan)


if __name__ == "__main__":
    sys.exit(main())
