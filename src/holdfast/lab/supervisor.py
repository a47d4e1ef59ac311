"""The process that a lab is: it starts every part, keeps the list of them, takes commands, and takes everything down again.

Run as `python -m holdfast.lab.supervisor --order JSON` by `running.start_lab`, which keeps two pipes with it: one on which it says how
the start goes (a JSON object a line), and a lifeline whose end means that the caller is gone. It starts nothing again that ended:
`status` says so. Whatever becomes of it, the sweeper ends what is left.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Any

from holdfast.lab import bindings_files, channels, children, ground, storage_servers
from holdfast.lab.blueprint import Blueprint, Replication, refuse_unsuitable
from holdfast.lab.children import Child, last_lines
from holdfast.lab.control import ControlServer
from holdfast.lab.ground import LabProblem
from holdfast.lab.layout import SCHEMA, Layout
from holdfast.lab.number import NoNumberError, claim
from holdfast.lab.parts import Ingredients, Part, Wave, parts_of, with_needs, write_configuration
from holdfast.lab.processes import VARIABLE, start_ticks, sweep
from holdfast.lab.readiness import NotReady, exchange_line, stores_in_words
from holdfast.lab.storage_servers import StorageServer
from holdfast.plan.loader import PlanError, load
from holdfast.plan.model import Plan

ASK_AGAIN_SECONDS = 0.05
STOP_SECONDS = {Wave.CALLERS: 0.5, Wave.SERVERS: 0.7, Wave.NETWORK: 0.2}
STAY = b"s"
"""What the caller writes to the lifeline when the lab is to outlive it."""
SECRETS = (
    "relay.token",
    "control.token",
    "controller.token",
    "lease.key",
    "postgres.admin",
    "postgres.application",
    "postgres.replication",
    "redis",
    "storage",
)


class Supervisor:
    """One lab, from its empty directory to its empty directory."""

    def __init__(self, order: dict[str, Any], progress: int, lifeline: int) -> None:
        self._order = order
        self._layout = Layout(Path(order["directory"]))
        self._progress = progress
        self._lifeline = lifeline
        self._stopping = asyncio.Event()
        self._reason = "asked to"
        self._children: dict[str, Child] = {}
        self._ready: dict[str, asyncio.Event] = {}
        self._parts: tuple[Part, ...] = ()
        self._state = "starting"
        self._started_seconds = time.time()
        self._blueprint: Blueprint
        self._storage = StorageServer.MOTO
        self._secrets: dict[str, str] = {}
        self._sweeper: Child | None = None
        self._sweeper_pipe = -1
        self._locks: tuple[int, ...] = ()

    async def run(self) -> int:
        """Build the lab, keep it until told to end, take it down. Returns the exit status."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._lifeline, self._hear_caller)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, f"got {number.name}")
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        try:
            made_with = await asyncio.to_thread(self._prepare)
        except (LabProblem, NoNumberError, OSError) as error:
            self._say(event="failed", error=str(error))
            return 1
        where = self._blueprint.control
        control = ControlServer(where.host, where.port, self._secrets["control.token"], self._obey)
        failure = ""
        self._speak_to_log()
        try:
            self._start_sweeper()
            await control.open()
            await self._start_parts(made_with)
        except (LabProblem, OSError) as error:
            failure = str(error)
        if not failure and not self._stopping.is_set():
            self._state = "up"
            self._describe()
            self._say(event="ready")
            await self._stopping.wait()
        await self._take_down(failure)
        control.close()
        return 1 if failure else 0

    def _prepare(self) -> Ingredients:
        """Everything that can be refused, before anything is started. Leaves nothing behind when it raises."""
        plan_path = Path(self._order["plan"])
        programs, os_user = ground.find_programs(), ground.postgres_os_user()
        try:
            plan = load(plan_path).plan
        except PlanError as error:
            raise LabProblem(f"the plan does not load:\n{error}") from error
        replication: Replication = self._order["replication"] or plan.replication
        refuse_unsuitable(plan, self._order["profile"], replication)
        self._storage = storage_servers.chosen(self._order["storage"], self._layout.directory)
        existed = self._layout.directory.exists()
        taken = ground.take_directory(self._layout)
        try:
            self._lay_out(plan, replication, taken.lock)
            made_with = Ingredients(programs, os_user, self._secrets, plan_path, taken.view)
            self._configure(made_with)
        except BaseException:
            ground.remove_all_but(self._layout, (self._layout.previous,))
            ground.give_back_empty_directory(self._layout, existed)
            raise
        return made_with

    def _lay_out(self, plan: Plan, replication: Replication, directory_lock: int) -> None:
        claimed = claim()
        self._locks = (directory_lock, claimed.lock.detach())
        identity = f"holdfast-{claimed.number}-{secrets.token_hex(4)}"
        # For tools that run once while the ground is laid; the sweeper finds them by it.
        os.environ[VARIABLE] = identity
        self._blueprint = Blueprint(identity, claimed.number, plan, self._order["profile"], replication, self._layout, self._storage)
        ground.empty_directory(self._layout)
        ground.lay_out(self._layout)
        self._make_secrets()

    def _configure(self, made_with: Ingredients) -> None:
        write_configuration(self._blueprint, made_with)
        for site in self._blueprint.sites:
            bindings_files.state_directory(self._blueprint, site).mkdir(parents=True, exist_ok=True)
            bindings = bindings_files.bindings_of(self._blueprint, site)
            ground.write_whole(self._layout.bindings(site), bindings.model_dump_json(indent=2, by_alias=True))
        self._describe()

    def _speak_to_log(self) -> None:
        log = os.open(self._layout.log_of("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        for standard in (1, 2):
            os.dup2(log, standard)
        os.close(log)

    def _make_secrets(self) -> None:
        per_region = [name for region in self._blueprint.regions for name in (f"agent.{region}.key", f"cluster.{region}.token")]
        shaped = {**channels.secrets(self._blueprint), "dns.key": ground.new_dns_key()}
        for name, value in {**dict.fromkeys((*SECRETS, *per_region)), **shaped}.items():
            self._secrets[name] = ground.write_secret(self._layout, name, value)

    def _describe(self) -> None:
        blueprint = self._blueprint
        description = {
            "schema": SCHEMA,
            "identity": blueprint.identity,
            "number": blueprint.number,
            "state": self._state,
            "started_seconds": self._started_seconds,
            "plan": self._order["plan"],
            "profile": blueprint.profile_name,
            "replication": blueprint.replication,
            "storage": blueprint.storage,
            "regions": list(blueprint.regions),
            "zones": {region: list(blueprint.zones(region)) for region in blueprint.regions},
            "supervisor": {"pid": os.getpid(), "start_ticks": start_ticks(os.getpid())},
            "control": [blueprint.control.host, blueprint.control.port],
        }
        ground.write_whole(self._layout.description, json.dumps(description, indent=2))

    async def _start_parts(self, made_with: Ingredients) -> None:
        parts = parts_of(self._blueprint, made_with)
        only = self._order.get("only")
        self._parts = with_needs(parts, frozenset(only)) if only else parts
        self._ready = {part.name: asyncio.Event() for part in self._parts}
        starting = [asyncio.create_task(self._bring_up(part)) for part in self._parts]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while starting and not stopping.done():
                done, _ = await asyncio.wait({*starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                starting = [task for task in starting if task not in done]
                for task in done - {stopping}:
                    await task
        finally:
            for task in (*starting, stopping):
                task.cancel()
            await asyncio.gather(*starting, stopping, return_exceptions=True)

    async def _bring_up(self, part: Part) -> None:
        for name in part.needs:
            await self._ready[name].wait()
        begun = time.monotonic()
        self._say(event="starting", part=part.name, title=part.title, site=part.site)
        if part.work is not None:
            await self._work(part)
        if part.command:
            self._start_child(part)
        missing = "nothing was asked yet"
        while part.ready is not None:
            self._refuse_dead(part)
            try:
                await part.ready()
                break
            except NotReady as not_ready:
                missing = str(not_ready)
            if time.monotonic() - begun > part.time_limit_seconds:
                raise LabProblem(f"{_called(part)} was not ready within {part.time_limit_seconds:g} s: {missing}{self._last_words(part)}")
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        self._refuse_dead(part)
        self._ready[part.name].set()
        self._say(event="ready-part", part=part.name, title=part.title, site=part.site, seconds=time.monotonic() - begun)

    async def _work(self, part: Part) -> None:
        assert part.work is not None
        try:
            await asyncio.to_thread(part.work)
        except Exception as error:  # whatever a part's own work runs into ends the start with its words
            raise LabProblem(f"{_called(part)} failed: {error}") from error

    def _start_child(self, part: Part) -> None:
        directory = part.working_directory or self._layout.directory
        mark = {**part.environment, VARIABLE: self._blueprint.identity}
        child = children.start(
            part.name,
            part.command,
            log=self._layout.log_of(part.name),
            working_directory=directory,
            environment=children.environment(mark, ground.search_path()),
            on_end=lambda _: self._list_processes(),
        )
        self._children[part.name] = child
        self._list_processes()

    def _refuse_dead(self, part: Part) -> None:
        child = self._children.get(part.name)
        if child is not None and child.ended is not None:
            raise LabProblem(f"{_called(part)} {child.ended} while it was being started{self._last_words(part)}")

    def _last_words(self, part: Part) -> str:
        child = self._children.get(part.name)
        involved = [part.name] if child is not None else [name for name in part.needs if name in self._children]
        logs = [self._layout.log_of(name) for name in involved]
        return "".join(f"\n--- the end of {log}\n{last_lines(log)}" for log in logs)

    def _start_sweeper(self) -> None:
        old = self._sweeper_pipe
        read, self._sweeper_pipe = os.pipe()
        self._sweeper = children.start_sweeper(
            self._blueprint.identity,
            self._layout,
            standard_input=read,
            kept=self._locks,
            environment=children.environment({}, ground.search_path()),
            on_end=self._sweeper_ended,
        )
        os.close(read)
        if old >= 0:
            os.close(old)
        self._list_processes()

    def _sweeper_ended(self, _: Child) -> None:
        if self._state != "stopping":
            self._start_sweeper()

    async def _obey(self, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One command from the control port. Raises LabProblem."""
        match verb:
            case "status":
                return await self._status()
            case "relay":
                return {"answers": await self._tell_relay([str(line) for line in arguments["lines"]])}
            case "down":
                self.stop("asked to")
                return {}
        raise LabProblem(f"the lab's supervisor does not know the command '{verb}'")

    async def _tell_relay(self, lines: list[str]) -> list[str]:
        try:
            answers = await exchange_line(self._blueprint.relay_control, self._secrets["relay.token"], *lines)
        except NotReady as error:
            raise LabProblem(
                f"the lab's network does not answer ({error}). Stop the lab with `holdfast lab down` and start it again"
            ) from error
        if len(answers) < len(lines):
            raise LabProblem(f"the lab's network broke off; see {self._layout.log_of('relay')}, and stop the lab with `holdfast lab down`")
        for line, answer in zip(lines, answers, strict=False):
            if answer.startswith("error"):
                raise LabProblem(f"{line}: {answer.removeprefix('error ')}")
        return answers

    async def _status(self) -> dict[str, Any]:
        links: list[Any] = []
        with contextlib.suppress(LabProblem):
            links = json.loads((await self._tell_relay(["status"]))[0])["links"]
        description = json.loads(self._layout.description.read_text(encoding="utf-8"))
        ready = [
            region for region in self._blueprint.regions if f"stores.{region}" in self._ready and self._ready[f"stores.{region}"].is_set()
        ]
        words = await asyncio.gather(*(stores_in_words(bindings_files.bindings_of(self._blueprint, region), region) for region in ready))
        roles = {f"stores.{region}": said for region, said in zip(ready, words, strict=True)}
        parts = [self._part_status(part, roles.get(part.name, "")) for part in self._parts]
        return {**description, "state": self._state, "parts": parts, "links": links}

    def _part_status(self, part: Part, said: str) -> dict[str, Any]:
        child = self._children.get(part.name)
        ready = self._ready[part.name].is_set()
        state = "ended" if child is not None and child.ended is not None else "up" if ready else "starting"
        return {
            "name": part.name,
            "title": part.title,
            "site": part.site,
            "address": part.address,
            "state": state,
            "process": bool(part.command),
            "pid": child.pid if child is not None else None,
            "started_seconds": child.started_seconds if child is not None else None,
            "detail": str(child.ended) if child is not None and child.ended is not None else said,
            "ended_seconds": child.ended.at_seconds if child is not None and child.ended is not None else None,
        }

    def _list_processes(self) -> None:
        if self._state == "stopping":
            return
        living = {"supervisor": None, **self._children, **({"sweeper": self._sweeper} if self._sweeper else {})}
        listed = [
            {"name": name, "pid": child.pid, "start_ticks": child.started_ticks, "ended": str(child.ended) if child.ended else None}
            for name, child in living.items()
            if child is not None
        ]
        ground.write_whole(self._layout.processes, json.dumps(listed, indent=2))

    def stop(self, reason: str) -> None:
        """End the lab; returns at once."""
        if not self._stopping.is_set():
            self._reason = reason
            self._stopping.set()

    def _hear_caller(self) -> None:
        heard = os.read(self._lifeline, 1)
        if heard == STAY:
            asyncio.get_running_loop().remove_reader(self._lifeline)
        elif not heard:
            asyncio.get_running_loop().remove_reader(self._lifeline)
            self.stop("whoever started it is gone")

    def _say(self, **event: Any) -> None:
        try:
            os.write(self._progress, json.dumps(event).encode() + b"\n")
        except OSError:
            return  # nobody listens any more; the lifeline says whether that matters

    async def _take_down(self, failure: str) -> None:
        self._state = "stopping"
        began = time.monotonic()
        for wave in Wave:
            names = {part.name for part in self._parts if part.wave is wave}
            living = [child for name, child in self._children.items() if name in names and child.ended is None]
            for child in living:
                child.tell(signal.SIGTERM)
            if living:
                await asyncio.wait([asyncio.create_task(child.gone.wait()) for child in living], timeout=STOP_SECONDS[wave])
        left = await asyncio.to_thread(sweep, self._blueprint.identity, self._layout.directory)
        swept = time.monotonic()
        if left:
            failure += f"\nthese processes could not be ended: {', '.join(f'{process.pid} {process.command}' for process in left)}"
        keep = (self._layout.log,) if failure else tuple(path for path in self._layout.kept if path.exists())
        if not self._order.get("keep"):
            await asyncio.to_thread(ground.remove_all_but, self._layout, (*keep, self._layout.previous))
        if failure:
            self._say(event="failed", error=failure)
        print(f"the lab is down: {failure or self._reason} ({swept - began:.1f} s, files {time.monotonic() - swept:.1f} s)", flush=True)


def _called(part: Part) -> str:
    return f"{part.title} ({part.name})" + (f" at {part.site}" if part.site and part.site not in part.name else "")


def main() -> None:
    """Entry of the process."""
    parser = argparse.ArgumentParser(description="Be a lab.")
    parser.add_argument("--order", required=True, help="what to build, as JSON")
    parser.add_argument("--progress", type=int, required=True, help="descriptor to say on how the start goes")
    parser.add_argument("--lifeline", type=int, required=True, help="descriptor whose end means that the caller is gone")
    arguments = parser.parse_args()
    os.umask(0o022)
    for descriptor in (arguments.progress, arguments.lifeline):
        os.set_inheritable(descriptor, False)
    supervisor = Supervisor(json.loads(arguments.order), arguments.progress, arguments.lifeline)
    sys.exit(asyncio.run(supervisor.run()))


if __name__ == "__main__":
    main()
