"""A drill: the real path, under client load, there and back. All drills are this one story; what is taken away is an `injection`, what
follows from it is a scenario of the plan.

It starts a lab, a controller and clients, takes away what the exercise says, lets stand-ins decide through the controller's own API, waits
until clients are served, reads what the stores hold, gives back what it took, has it brought home, reads again, and hands everything to
the report. It decides nothing and touches no store of the plan: what it does to the world is marked in the journal.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from holdfast.conduct.runs import FAILOVER, stores_moved
from holdfast.console.narrating import Narrator
from holdfast.console.narration import Line
from holdfast.drill.answers import to_acknowledge
from holdfast.drill.evidence import Evidence
from holdfast.drill.injection import INJECTIONS, Injection, at_last
from holdfast.drill.load import acknowledged_lately, served_in_a_row
from holdfast.drill.parts import Part, PartFailed, start, wait_until
from holdfast.drill.settings import DrillSettings, Say
from holdfast.drill.warming import Warming
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.lab.faults import Faults
from holdfast.lab.ground import LabProblem
from holdfast.lab.running import Lab, start_lab
from holdfast.plan.blocks import BLOCKS
from holdfast.plan.loader import LoadedPlan
from holdfast.plan.people import Occasion, approvers, ticks_off
from holdfast.providers.controller.client import ControllerClient, ControllerRefused, ControllerSilent


def nothing(_: "RunningDrill") -> None:
    """No interference."""


Interference = Callable[["RunningDrill"], None]
"""What a test does to the parts of a running drill, called about twenty times a second. The drill itself never interferes."""


@dataclass
class RunningDrill:
    """A drill under way."""

    settings: DrillSettings
    loaded: LoadedPlan
    say: Say
    interfere: Interference
    lab: Lab
    parts: dict[str, Part] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    exercise: str = ""
    answered: set[tuple[str, str]] = field(default_factory=set)
    """What the stand-ins have answered already: the proposal's hash and who."""
    narrator: Narrator = field(default_factory=Narrator)
    faults: Faults = field(init=False)
    deciding: bool = False
    """Stand-ins decide from the cut on: a false alarm before it is not what they are there for."""
    ends_seconds: float = math.inf
    """On the steady clock: when the whole drill must be over."""

    def __post_init__(self) -> None:
        self.faults = Faults(self.lab)

    @property
    def injection(self) -> Injection:
        """What is done to the primary region."""
        return INJECTIONS[self.settings.takes_away]

    @property
    def client(self) -> ControllerClient:
        """The controller's API."""
        binding = self.lab.bindings(self.loaded.plan.witness).controller
        return ControllerClient(f"http://{binding.host}:{binding.port}", binding.token_file)

    def start_controller(self) -> None:
        """Start the controller, or another one after it was killed."""
        arguments = [
            *self.settings.controller_module,
            str(self.settings.plan_file),
            "--scenario",
            self.settings.scenario,
            "--profile",
            self.settings.profile,
            "--exercise",
            self.exercise,
            "--scale",
            f"{self.settings.scale:g}",
            "--lab",
            str(self.lab.directory),
            "--output",
            "json",
        ]
        self.parts["controller"] = start("controller", arguments, self.lab.layout.log_of("controller"), self.lab.environment())

    def start_clients(self) -> None:
        """Start the clients; they go on until the drill stops them."""
        bindings, ledgers = self.lab.layout.bindings("outside"), self.lab.layout.ledgers
        arguments = ["holdfast.lab.clients", "--bindings", str(bindings), "--ledgers", str(ledgers)]
        self.parts["clients"] = start("clients", arguments, self.lab.layout.log_of("clients"), self.lab.environment())

    def stop_parts(self) -> None:
        """End the controller and the clients."""
        for part in self.parts.values():
            part.stop()

    def look(self) -> None:
        """Read the controller's state and new records, tell them, answer what it asks; a silent controller is started again."""
        self.interfere(self)
        if not self.parts["controller"].alive():
            self.say(Line(time.time(), "failed", "the controller is gone; another one takes over"))
            self.start_controller()
            return
        try:
            self.state = self.client.state()
            new = [Record(**given) for given in self.client.records(self.records[-1].sequence if self.records else 0)]
            self.records += new
            for said in self.narrator.told(new, time.time()):
                self.say(said)
        except (ControllerSilent, ControllerRefused):
            return
        self._answer()
        self._tick_off()

    def _tick_off(self) -> None:
        """What people do by hand is ticked off by whoever stands in for the role that it needs."""
        for step in self.waiting_steps() if self.deciding else ():
            person = ticks_off(self.loaded.plan, str(step["needs"]))
            asked = (f"{step['run']}/{step['id']}/{step['attempts']}", str(person))
            if step["block"] != "manual" or person is None or asked in self.answered:
                continue
            arguments = {"step": step["id"], "choice": "done", "reason": "ticked off in the exercise"}
            if self.command("choose", person, arguments).startswith("accepted"):
                self.answered.add(asked)

    def waiting_steps(self) -> list[Mapping[str, Any]]:
        """Steps that wait for a person."""
        incident = self.state.get("incident")
        return [step for step in incident["steps"] if step["choices"]] if incident else []

    def is_stuck(self) -> bool:
        """Whether a step waits for a person and no stand-in may answer for one: something went wrong, and no drill decides about that."""
        nobody = (step["block"] != "manual" or ticks_off(self.loaded.plan, str(step["needs"])) is None for step in self.waiting_steps())
        return self.incident_is("needs-person") and any(nobody)

    def _answer(self) -> None:
        """The stand-ins approve what is proposed, as they see it."""
        incident, plan = self.state["incident"], self.loaded.plan
        if incident is not None and self.deciding:
            for person in to_acknowledge(plan, self.records, incident["incident"], self.settings.unanswered):
                self.command("ack", person, {"incident": incident["incident"], "way": "cli"})
        proposal = incident["proposal"] if incident else None
        if proposal is None or not self.deciding:
            return
        if proposal["run"] == "failover" and not self.has_passed(self.settings.decide_after_seconds):
            return
        rule = plan.approval.way_back if proposal["run"] == "way-back" and plan.approval.way_back else plan.approval.activation
        people = [person for person in approvers(plan, rule, Occasion.EXERCISE) if person != proposal["requester"]]
        for person in people[: proposal["count"]]:
            answer = (proposal["hash"], person)
            if answer not in self.answered:
                said = self.command("approve", person, {"hash": proposal["hash"], "accepts_loss": False})
                if not said.startswith("unknown"):  # else it was lost with a controller, and the next one asks again
                    self.answered.add(answer)

    def has_passed(self, seconds: float) -> bool:
        """Whether so much time of the plan's clock has passed since the incident's impact."""
        incident = self.state.get("incident")
        return incident is not None and (time.time() - incident["impact_seconds"]) * self.settings.scale >= seconds

    def command(self, verb: str, by: str, arguments: Mapping[str, Any] | None = None) -> str:
        """Give a command; an answer that is lost with the controller is given again by whoever needs it."""
        try:
            return self.client.command(verb, by, arguments)
        except (ControllerSilent, ControllerRefused) as error:
            return f"unknown: {error}"

    def mark(self, what: str, detail: str) -> None:
        """Put what the drill does to the world into the journal, with the moment at which it did it."""
        self.command("mark", self.conductor, {"what": what, "detail": detail, "at_seconds": time.time()})

    @property
    def conductor(self) -> str:
        """The stand-in who conducts the exercise and decides nothing, so that asking for something bars nobody from approving it."""
        plan = self.loaded.plan
        deciding = {person for role in plan.approval.activation.of for person in plan.roles[role].stand_ins}
        enrolled = [name for name, person in plan.people.items() if person.exercise]
        return next((name for name in enrolled if name not in deciding), enrolled[0])

    def until(self, condition: str, test: Any, seconds: float) -> None:
        """Look until something is so, bounded. Raises PartFailed."""

        def passed() -> bool:
            self.look()
            return bool(test())

        left = max(self.ends_seconds - time.monotonic(), 0.0)
        waited = condition if seconds <= left else f"the drill was over its {self.settings.within_seconds:g} s in all: {condition}"
        wait_until(passed, min(seconds, left), waited, [part for name, part in self.parts.items() if name != "controller"])

    def incident_is(self, *states: str) -> bool:
        """Whether the incident stands in one of these states."""
        incident = self.state.get("incident")
        return incident is not None and incident["state"] in states

    def has_promoted(self) -> bool:
        """Whether every store that the scenario's failover moves is written in the other region."""
        intended = [r.body for r in self.records if r.kind == Kind.STEP_INTENDED and r.body["run"] == FAILOVER]
        stores = {body["step"]: body["component"] for body in intended if BLOCKS[body["block"]].begins_writing}
        done = (r.body for r in self.records if r.kind == Kind.STEP_FINISHED and r.body["run"] == FAILOVER)
        written = {stores[body["step"]] for body in done if body["outcome"] in ("succeeded", "settled") and body["step"] in stores}
        return stores_moved(self.loaded.plan, self.settings.scenario) <= written


@dataclass(frozen=True, slots=True)
class DrillResult:
    """What the drill gathered; `ended_early` says why when it did not come to its end."""

    evidence: Evidence
    ended_early: str | None
    storage: str = ""
    """The S3 server that the lab ran."""


def run_drill(settings: DrillSettings, loaded: LoadedPlan, say: Say, interfere: Interference = nothing) -> DrillResult:
    """The whole drill. Whatever happens in it, everything that it started is stopped when it returns or raises."""
    exercise, began = f"exercise-{time.strftime('%Y%m%dT%H%M%S')}", time.monotonic()
    say(Line(time.time(), "running", f"{exercise}: the lab starts (two regions, a witness, clients outside)"))
    with ExitStack() as stack:
        stack.push(_when_interrupted(say, f"stopped: nothing of it runs any more; what it wrote so far is in {settings.directory / 'lab'}"))
        lab = start_lab(
            settings.directory / "lab",
            settings.plan_file,
            settings.profile,
            settings.replication,
            progress=lambda event: _progress(say, event),
            storage=settings.storage,
        )
        stack.callback(lab.down)
        drill = RunningDrill(settings, loaded, say, interfere, lab, exercise=exercise, ends_seconds=began + settings.within_seconds)
        stack.callback(drill.stop_parts)
        stack.callback(at_last, drill.faults)
        stack.push(_when_interrupted(say, "stopping: the controller, the clients and the lab are ended in order; this takes some seconds"))
        evidence, ended_early = Evidence(exercise, time.time()), None
        # Read now: a lab that is ended by force takes its files with it.
        outlook = {site: lab.bindings(site) for site in lab.sites()}
        try:
            _until_recovered(drill)
            evidence = evidence.after_failover(lab, loaded.plan, settings.scenario)
            if settings.ends == "home":
                _bring_home(drill)
        except (PartFailed, LabProblem, OSError) as failure:
            # The lab's own parts can end too (a full disk, a kill): what was gathered so far is still reported, as not proved.
            ended_early = str(failure)
            say(Line(time.time(), "failed", f"the drill ends here: {failure}"))
        for said in drill.narrator.rest():
            say(said)
        if "clients" in drill.parts:
            drill.parts["clients"].stop()
        serving = str(drill.state.get("serving") or loaded.plan.primary_region())
        evidence = evidence.watched(outlook[loaded.plan.witness])
        return DrillResult(evidence.collected(lab, serving, outlook[serving]), ended_early, str(lab.description["storage"]))


def _when_interrupted(say: Say, text: str) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], None]:
    """A way out of a block that says something when a person ended it."""

    def leave(kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is KeyboardInterrupt:
            say(Line(time.time(), "unknown", text))

    return leave


def _progress(say: Say, event: Mapping[str, Any]) -> None:
    if event.get("event") == "ready-part":
        say(Line(time.time(), "done", f"lab: {event['title']} ready after {event['seconds']:.1f} s"))


def _until_recovered(drill: RunningDrill) -> None:
    settings, lab, source = drill.settings, drill.lab, drill.loaded.plan.primary_region()
    drill.start_clients()
    drill.start_controller()
    drill.until("the controller answers", lambda: drill.state, settings.ready_bound_seconds)
    drill.until("the controller knows what was promised before it came", lambda: _promises_are_short(drill), settings.ready_bound_seconds)
    _warm_up(drill)
    _let_copies_fall_behind(drill)
    drill.deciding = True
    drill.say(Line(time.time(), "running", drill.injection.says.format(region=source)))
    drill.mark("cut", source)
    drill.injection.takes_away(lab, drill.faults, source)
    if settings.ends == "promoted":
        _await(drill, "every store is written in the other region", drill.has_promoted)
        return
    _await(drill, "every function is served again", lambda: drill.incident_is("recovered"))
    _settle(drill)


def _await(drill: RunningDrill, condition: str, test: Callable[[], bool]) -> None:
    """Look until the failover has come so far, bounded. Raises PartFailed, also when it waits for a person whom nobody stands in for."""
    bound = drill.settings.failover_bound_seconds + drill.settings.waits_seconds
    drill.until(condition, lambda: test() or drill.is_stuck(), bound)
    if not test():
        raise PartFailed("a step needs a person and no stand-in may choose for them: the drill ends")


def _let_copies_fall_behind(drill: RunningDrill) -> None:
    """Cut what the primary region sends to the other, under load, where the drill asks for it; the region itself serves on."""
    settings, plan = drill.settings, drill.loaded.plan
    if settings.copies_cut_seconds <= 0:
        return
    source, target = plan.primary_region(), plan.dr_region()
    drill.mark("copies-cut", f"{source} → {target}")
    drill.lab.cut_link(source, target)
    _for_a_while(drill, settings.copies_cut_seconds)


def _bring_home(drill: RunningDrill) -> None:
    bound = drill.settings.return_bound_seconds
    home, open_for = drill.loaded.plan.primary_region(), drill.settings.open_for_seconds
    if not drill.has_passed(open_for):
        drill.say(Line(time.time(), "running", f"the incident stays open until {open_for / 60:.0f} min of the plan's clock have passed"))
        drill.until(
            "the incident was open as long as it should be", lambda: drill.has_passed(open_for), drill.settings.waits_seconds + 30.0
        )
    drill.say(Line(time.time(), "running", drill.injection.back.format(region=home)))
    drill.mark("heal", home)
    drill.injection.gives_back(drill.lab, drill.faults, home)
    drill.until(
        "the way back was asked for",
        lambda: drill.command("failback", drill.conductor).startswith("accepted") or not drill.incident_is("recovered"),
        10.0,
    )
    drill.until("the region is home again", lambda: drill.incident_is("closed") or drill.is_stuck(), bound)
    if not drill.incident_is("closed"):
        raise PartFailed("a step of the way back needs a person and no stand-in may choose for them: the drill ends")
    _settle(drill)


def _warm_up(drill: RunningDrill) -> None:
    """Load until all has been well for a while without a break; what keeps it from that is said while it lasts."""
    settings, lease = drill.settings, drill.loaded.plan.profiles[drill.settings.profile].lease
    warming = Warming(settings.warm_up_seconds, lease, os.cpu_count() or 1, time.monotonic(), settings.needs)

    def warm() -> bool:
        said = warming.look(drill.state, time.monotonic(), os.getloadavg()[0])
        if said is not None:
            drill.say(Line(time.time(), "unknown", said))
        return warming.done(time.monotonic()) and (settings.needs == "well" or _is_written(drill))

    drill.until(
        f"watching sees every function well for {settings.warm_up_seconds:g} s (a machine that is busy with other things may be too slow "
        f"for a lease of {lease:g} s)",
        warm,
        settings.ready_bound_seconds + settings.warm_up_seconds,
    )


def _is_written(drill: RunningDrill) -> bool:
    return acknowledged_lately(drill.lab.layout.ledgers, drill.loaded.plan.functions, time.time())


def _promises_are_short(drill: RunningDrill) -> bool:
    """A controller without memory counts the longest promise that anybody may have been given; afterwards only its own count."""
    profile = drill.loaded.plan.profiles[drill.settings.profile]
    return bool(drill.state["promise_ends_in_seconds"] <= profile.lease * (1 + profile.drift) + profile.margin + 0.1)


def _for_a_while(drill: RunningDrill, seconds: float) -> None:
    """Let clients work for this long: the ledgers need it, and it is bounded."""
    end = time.monotonic() + seconds
    drill.until(f"{seconds:g} s of load", lambda: time.monotonic() >= end, seconds + 10.0)


def _settle(drill: RunningDrill) -> None:
    """Load until an outage that is over can be seen to be over; what goes on beyond the bound is the report's to say."""
    _for_a_while(drill, drill.settings.settle_seconds)
    end, functions = time.monotonic() + drill.settings.well_bound_seconds, list(drill.loaded.plan.functions)
    drill.until(
        "clients are well",
        lambda: served_in_a_row(drill.lab.layout.ledgers, functions) or time.monotonic() >= end,
        drill.settings.well_bound_seconds + 10.0,
    )
