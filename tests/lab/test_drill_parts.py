"""A drill under ill luck: parts of it are killed, it is broken off, links heal too early. It ends in bounds and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.drill.drilling import RunningDrill
from holdfast.journal.kinds import Kind
from holdfast.lab import processes
from holdfast.lab.addresses import ZONES, ZONES_PER_REGION, Host
from holdfast.lab.blueprint import Blueprint
from holdfast.lab.ground import Programs
from holdfast.lab.layout import Layout
from holdfast.lab.parts import Ingredients, parts_of
from holdfast.lab.running import Lab
from holdfast.plan.loader import load
from lab.drill_rig import drilled, place
from lab.lab_rig import PLAN, left_of, until

pytestmark = pytest.mark.alone

ROOT = Path(__file__).resolve().parents[2]
prove = pytest.mark.prove


def once(condition: Callable[[RunningDrill], bool], act: Callable[[RunningDrill], None]) -> Callable[[RunningDrill], None]:
    """Does something once, as soon as something is so."""
    done: list[bool] = []

    def interfere(drill: RunningDrill) -> None:
        if not done and condition(drill):
            done.append(True)
            act(drill)

    return interfere


def recorded(kind: Kind) -> Callable[[RunningDrill], bool]:
    return lambda drill: any(record.kind == kind for record in drill.records)


def kill_supervisor(drill: RunningDrill) -> None:
    """It carries no mark of the lab; the lab's own description names it."""
    supervisor = drill.lab.description["supervisor"]
    processes.kill(processes.LabProcess(supervisor["pid"], supervisor["start_ticks"], "supervisor"))


def kill(*words: str) -> Callable[[RunningDrill], None]:
    """Kill -9 the lab's processes whose command holds all words."""

    def act(drill: RunningDrill) -> None:
        found = [
            process for process in processes.find(drill.lab.identifier, drill.lab.directory) if all(w in process.command for w in words)
        ]
        assert found, f"no process of the lab has {words}"
        for process in found:
            processes.kill(process)

    return act


@prove
def test_a_heal_in_the_middle_of_a_failover_ends_it_with_one_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    with place() as directory:
        over = drilled(directory, monkeypatch, interfere=once(recorded(Kind.EPOCH_OPENED), lambda drill: drill.lab.heal()))
        single = over.report.single_writer
        assert single.violations == 0, over.said()
        waits = [record.body for record in over.result.evidence.records if record.kind == Kind.STEP_WAITING]
        assert over.report.verdict == "pass" or waits, over.said()


NOT_WITHOUT = frozenset({"clients", "relay", "supervisor"})
"""Nobody could say what clients lost, or the lab is no more."""
BESIDE = ("controller", "clients", "supervisor", "sweeper")
"""What a drill runs beside the parts of a lab, and what holds those."""


def kill_part(name: str) -> Callable[[RunningDrill], None]:
    """Kill -9 a part of the lab by the process that the lab names for it, or one that the drill runs beside the lab."""

    def act(drill: RunningDrill) -> None:
        if name == "supervisor":
            kill_supervisor(drill)
        elif name in drill.parts:
            drill.parts[name].kill()
        elif name == "sweeper":
            listed = json.loads(drill.lab.layout.processes.read_text(encoding="utf-8"))
            sweeper = next(process for process in listed if process["name"] == name)
            processes.kill(processes.LabProcess(sweeper["pid"], sweeper["start_ticks"], name))
        else:
            part = next(part for part in drill.lab.status()["parts"] if part["name"] == name)
            assert part["state"] == "up", part
            os.kill(part["pid"], signal.SIGKILL)

    return act


def killings() -> dict[str, Callable[[RunningDrill], None]]:
    """Every process that a drill stands on → how it is killed. The lab's own list says which: a part that is new is killed too."""
    plan = load(PLAN).plan
    blueprint = Blueprint("holdfast-7-abc", 7, plan, "fast", "asynchronous", Layout(Path("/lab")))
    programs = Programs(*(Path("/usr/bin"), *(Path(f"/usr/bin/{name}") for name in ("redis-server", "haproxy", "knotd", "setpriv"))))
    made_with = Ingredients(programs, None, defaultdict(str), PLAN)
    found = {part.name: kill_part(part.name) for part in parts_of(blueprint, made_with) if part.command}
    for region, first_zone in zip(blueprint.regions, ZONES[::ZONES_PER_REGION], strict=True):
        agents_own = {
            "PostgreSQL": (f"/sites/{region}/postgres",),
            "Redis": ("redis-server", f".{first_zone}.{Host.REDIS}:"),
            "guard": ("/guard.py", f"/sites/{region}/"),
        }
        found |= {f"{name} of {region}": kill(*words) for name, words in agents_own.items()}
    return found | {name: kill_part(name) for name in BESIDE}


def moment_for(part: str) -> Kind:
    """In the middle of the failover; but the lost region's stores are fenced by then, so they are struck as the cut comes."""
    stores = [f"{name} of {load(PLAN).plan.primary_region()}" for name in ("PostgreSQL", "Redis")]
    return Kind.EXERCISE_MARK if part in stores else Kind.EPOCH_OPENED


KILLED = killings()
QUICK = "relay"
"""The one of them that `make test` kills too."""


@pytest.mark.parametrize("part", [pytest.param(name, marks=() if name == QUICK else prove) for name in KILLED])
def test_whatever_part_is_killed_the_drill_ends_in_bounds_and_leaves_nothing(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`drilled` holds that no process and no control group is left."""
    struck: list[str] = []

    def strike(drill: RunningDrill) -> None:
        KILLED[part](drill)
        struck.append(part)

    with place() as directory:
        begun = time.monotonic()
        over = drilled(
            directory,
            monkeypatch,
            interfere=once(recorded(moment_for(part)), strike),
            warm_up_seconds=2.0,
            settle_seconds=1.0,
            well_bound_seconds=5.0,
            failover_bound_seconds=40.0,
            return_bound_seconds=90.0,
        )
        assert time.monotonic() - begun < 240
        assert struck == [part], over.said()
        if part in NOT_WITHOUT:
            assert over.report.verdict != "pass", over.said()
        if over.report.verdict == "pass":
            assert over.result.ended_early is None, over.said()


class Started:
    """`holdfast drill run`, or make, as a process of its own."""

    def __init__(self, command: list[str], directory: Path, log: Path) -> None:
        self.directory = directory
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever a test found: nothing of it runs beside the next one."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def says(self, words: str) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return words in self.log.read_text()


def drill_command(directory: Path) -> list[str]:
    return [sys.executable, "-m", "holdfast", "drill", "run", "regional-outage", "--directory", str(directory)]


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=prove)])
def test_a_drill_that_is_broken_off_stops_everything_within_ten_seconds(number: signal.Signals) -> None:
    with place() as aside, place() as directory, Started(drill_command(directory), directory, aside / "said") as started:
        until(lambda: started.says("fence (fence) begins"), 120.0)
        lab = Lab.attach(directory / "lab")
        started.process.send_signal(number)
        until(lambda: left_of(lab) == [], 10.0)
        # Its files go last, and take as long as the disk takes.
        assert started.process.wait(60) == 130, started.log.read_text()
        assert "Traceback" not in started.log.read_text()


def test_a_drill_that_is_killed_leaves_nothing_either_and_the_next_may_start_at_once() -> None:
    with place() as aside, place() as directory, Started(drill_command(directory), directory, aside / "said") as started:
        until(lambda: started.says("promote-database (postgres.promote) begins"), 120.0)
        lab = Lab.attach(directory / "lab")
        started.process.kill()
        started.process.wait()
        until(lambda: left_of(lab) == [], 10.0)
        lab.wait_until_gone(60.0)
        with Started(drill_command(directory), directory, aside / "said again") as again:
            until(lambda: again.says("the controller") or again.says("watch") or again.says("lab: DNS ready"), 60.0)
            again.process.send_signal(signal.SIGINT)
            assert again.process.wait(60) == 130, again.log.read_text()
        assert (directory / "lab" / "previous").is_dir()


@prove
def test_ctrl_c_reaches_a_demo_through_make() -> None:
    with place() as aside, place() as directory:
        demo = f"DEMO=drill run regional-outage --directory {directory}"
        with Started(["make", "demo", demo], directory, aside / "said") as started:
            until(lambda: started.says("fence (fence) begins"), 180.0)
            lab = Lab.attach(directory / "lab")
            os.killpg(started.process.pid, signal.SIGINT)
            assert started.process.wait(60) != 0
            until(lambda: left_of(lab) == [], 10.0)
