"""A lab as a library: start one, cut and heal its regions, ask how it is, take it down.

    lab = start_lab(Path("var/lab"), Path("examples/voicehive/plan.yaml"), profile="fast")
    try:
        lab.cut("eu-west-1")
    finally:
        lab.down()

Everything here blocks and is quick but for `start_lab` and `down`. A lab that is started for its caller ends with it, also when the caller
is killed; one that stays is found again with `Lab.attach`. Never here: what the parts are (see `parts`).
"""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from holdfast.lab import children
from holdfast.lab.control import ask
from holdfast.lab.ground import LabProblem, search_path
from holdfast.lab.layout import SCHEMA, Layout
from holdfast.lab.processes import VARIABLE, is_alive
from holdfast.plan.bindings import Bindings

ANSWER_SECONDS = 5.0
DOWN_SECONDS = 90.0
"""Processes end within a few seconds; removing their files takes as long as the disk takes."""
REACH = "outside"

Progress = Callable[[Mapping[str, Any]], None]
"""Hears each step of a start: `event` (starting, ready-part), `part`, `title`, `site`, `seconds`."""


class Lifetime(StrEnum):
    """How long a lab lives: as long as the process that started it, or until somebody takes it down."""

    CALLER = "caller"
    STAYS = "stays"


class OneWay(StrEnum):
    """Which way of a region's links is cut: what comes in, or what goes out."""

    IN = "in"
    OUT = "out"


@dataclass(slots=True)
class Lab:
    """A running lab."""

    layout: Layout
    description: Mapping[str, Any]
    _supervisor: "subprocess.Popen[bytes] | None" = None
    _lifeline: int = -1

    @classmethod
    def attach(cls, directory: Path) -> "Lab":
        """The lab that runs in a directory. Raises LabProblem when none does."""
        layout = Layout(directory.resolve())
        try:
            description = json.loads(layout.description.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LabProblem(f"no lab runs in {directory}. Start one with `holdfast lab up`, or name it with --directory") from error
        except (OSError, ValueError) as error:
            raise LabProblem(f"{layout.description} can't be read: {error}") from error
        if description.get("schema") != SCHEMA:
            raise LabProblem(f"{layout.description} was written by another version of Holdfast ({description.get('schema')})")
        supervisor = description["supervisor"]
        if not is_alive(supervisor["pid"], supervisor["start_ticks"]):
            raise LabProblem(
                f"the lab in {directory} was ended by force: its supervisor (process {supervisor['pid']}) is gone, and what it ran was "
                "ended with it. Start a new one with `holdfast lab up`"
            )
        return cls(layout, description)

    @property
    def directory(self) -> Path:
        """Its folder, absolute."""
        return self.layout.directory

    @property
    def identifier(self) -> str:
        """The mark of its processes."""
        return str(self.description["identity"])

    @property
    def regions(self) -> tuple[str, str]:
        """Its regions, the plan's primary first."""
        first, second = self.description["regions"]
        return str(first), str(second)

    @property
    def zones(self) -> Mapping[str, str]:
        """Zone → its region."""
        return {zone: region for region, zones in self.description["zones"].items() for zone in zones}

    def bindings(self, site: str) -> Bindings:
        """Where everything is, as seen from a site. Raises LabProblem for a site that the lab hasn't."""
        path = self.layout.bindings(site)
        try:
            return Bindings.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LabProblem(f"the lab has no site '{site}'; it has {', '.join(self.sites())}") from error

    def agent_configuration(self, region: str) -> Path:
        """The file that a region's agent was started with."""
        return self.layout.configuration_of(f"agent.{region}.json")

    def sites(self) -> tuple[str, ...]:
        """Every site, as links are named."""
        return tuple(
            sorted(path.name.removeprefix("bindings.").removesuffix(".json") for path in self.layout.directory.glob("bindings.*.json"))
        )

    def environment(self) -> dict[str, str]:
        """What a process must be started with to be ended with the lab (controller, clients)."""
        return children.environment({VARIABLE: self.identifier}, search_path())

    def cut(self, region: str, one_way: OneWay | None = None) -> None:
        """Cut a region, one of its zones or another site off from all others; it is in force on return."""
        others = self._others(region)
        lines = [f"cut {other} {region}" for other in others if one_way is not OneWay.OUT]
        lines += [f"cut {region} {other}" for other in others if one_way is not OneWay.IN]
        self._tell_relay(lines)

    def cut_link(self, origin: str, destination: str) -> None:
        """Cut one direction of one link."""
        self._tell_relay([f"cut {origin} {destination}"])

    def heal(self, place: str | None = None) -> None:
        """Open every link again, or all of one place; what was held flows."""
        if place is not None:
            self._others(place)
        self._tell_relay(["heal" if place is None else f"heal {place}"])

    def heal_link(self, origin: str, destination: str) -> None:
        """Open one direction of one link again."""
        self._tell_relay([f"open {origin} {destination}"])

    def delay(self, region: str, seconds: float) -> None:
        """Let everything to and from a region, a zone or another site arrive later, each way; 0 ends it."""
        lines = [
            line for other in self._others(region) for line in (f"delay {other} {region} {seconds}", f"delay {region} {other} {seconds}")
        ]
        self._tell_relay(lines)

    def status(self) -> dict[str, Any]:
        """State of every part and link."""
        return self._ask("status")

    def controller_runs(self) -> bool:
        """Whether a controller writes this lab's journal now. It holds the file's lock, which the kernel frees when it ends."""
        try:
            with self.layout.controller.joinpath("journal.db.lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def down(self) -> None:
        """End it and wait until nothing of it lives. Raises LabProblem when something could not be ended."""
        with contextlib.suppress(OSError):
            # No answer is no obstacle: what counts is that the supervisor goes.
            self._ask("down")
        self.wait_until_gone(DOWN_SECONDS)

    def wait_until_gone(self, timeout_seconds: float) -> None:
        """Wait until supervisor and sweeper have let go of the directory. Raises LabProblem."""
        deadline = time.monotonic() + timeout_seconds
        while not self._is_released():
            if self._supervisor is not None:
                self._supervisor.poll()
            if time.monotonic() > deadline:
                raise LabProblem(
                    f"the lab in {self.layout.directory} is still there after {timeout_seconds:g} s; see {self.layout.log_of('supervisor')}"
                )
            time.sleep(0.01)
        if self._supervisor is not None:
            self._supervisor.wait()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _is_released(self) -> bool:
        try:
            with self.layout.lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _others(self, place: str) -> list[str]:
        """The places that this one has links with: all other sites, or a zone's region."""
        sites, zones = self.sites(), self.zones
        if place in zones:
            return [zones[place]]
        if place not in sites:
            known = f"it has {', '.join(self.regions)} (and the sites {', '.join(sites)}, and the zones {', '.join(zones)})"
            raise LabProblem(f"the lab has no region '{place}'; {known}")
        return [other for other in sites if other != place]

    def _tell_relay(self, lines: list[str]) -> None:
        self._ask("relay", lines=lines)

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        host, port = self.description["control"]
        token = self.layout.secret("control.token").read_text(encoding="utf-8")
        return ask(host, port, token, verb, arguments, ANSWER_SECONDS)


def start_lab(
    directory: Path,
    plan: Path,
    profile: str = "default",
    replication: Literal["asynchronous", "synchronous"] | None = None,
    *,
    lifetime: Lifetime = Lifetime.CALLER,
    progress: Progress | None = None,
    only: frozenset[str] | None = None,
    storage: str | None = None,
) -> Lab:
    """Start a lab and return when every part is ready. Raises LabProblem, with nothing left behind but logs.

    Without `replication` the plan's holds; without `storage` (a name of `storage_servers`) the lab chooses. `only` names parts (see
    `parts`) and starts no others but those they need.
    """
    layout = Layout(directory.resolve())
    order = {
        "directory": str(layout.directory),
        "plan": str(plan.resolve()),
        "profile": profile,
        "replication": replication,
        "only": sorted(only) if only else None,
        "storage": storage,
    }
    heard, progress_end = os.pipe()
    lifeline_end, lifeline = os.pipe()
    process = _start_supervisor(order, progress_end, lifeline_end)
    os.close(progress_end)
    os.close(lifeline_end)
    try:
        _follow(heard, process, progress or (lambda event: None))
        if lifetime is Lifetime.STAYS:
            os.write(lifeline, b"s")
            os.close(lifeline)
            lifeline = -1
    except BaseException:
        # Whatever happened, Ctrl-C too: the end of the lifeline takes down what was started.
        os.close(lifeline)
        process.wait()
        raise
    finally:
        os.close(heard)
    lab = Lab.attach(directory)
    lab._supervisor, lab._lifeline = process, lifeline
    return lab


def _start_supervisor(order: Mapping[str, Any], progress: int, lifeline: int) -> "subprocess.Popen[bytes]":
    arguments = ["--order", json.dumps(order), "--progress", str(progress), "--lifeline", str(lifeline)]
    return subprocess.Popen(
        [sys.executable, "-m", "holdfast.lab.supervisor", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(progress, lifeline),
        env=children.environment({}, search_path()),
        start_new_session=True,
        cwd="/",
    )


def _follow(heard: int, process: "subprocess.Popen[bytes]", progress: Progress) -> None:
    for line in _lines(heard):
        event = json.loads(line)
        if event["event"] == "ready":
            return
        if event["event"] == "failed":
            process.wait()
            raise LabProblem(str(event["error"]))
        progress(event)
    process.wait()
    raise LabProblem("the lab was ended while it was being started")


def _lines(descriptor: int) -> Iterator[bytes]:
    held = b""
    while True:
        select.select([descriptor], [], [])
        more = os.read(descriptor, 65536)
        if not more:
            return
        *whole, held = (held + more).split(b"\n")
        yield from whole
