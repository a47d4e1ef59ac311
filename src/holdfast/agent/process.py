"""The agent as a process: put together, run until told to end, ended orderly.

Rules: one agent per state directory (a lock says so). What can't be trusted at the start fences first and then refuses. An orderly end
stops the stores while the lease is still kept, then the guard, and leaves no process and no control group behind; the right to write stays
as it was.

Never here: policy of any kind.
"""

import fcntl
import hashlib
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from holdfast.agent import fence, groups
from holdfast.agent import state as states
from holdfast.agent.authority import Authority
from holdfast.agent.charge import Charge
from holdfast.agent.configuration import BadConfiguration, Configuration
from holdfast.agent.guarding import Guarding
from holdfast.agent.keeper import Keeper
from holdfast.agent.launch import GroupLauncher
from holdfast.agent.orders import Orders
from holdfast.agent.os_user import View
from holdfast.agent.renewal import Renewal
from holdfast.agent.server import Server, Service, serve
from holdfast.agent.state import DamagedState, Records, State, StateFile
from holdfast.agent.store import Launcher, Store, StoreFailure, StoreRefusal

STOP_SECONDS = 15.0

StoreMaker = Callable[[Configuration, Mapping[str, Any], Launcher], Store]


class CannotStart(Exception):
    """The agent must not run. One line: what happened, where, what to do."""


class AgentProcess:
    """One agent. `makers`: the kind of store for each section of the configuration."""

    def __init__(self, configuration: Configuration, makers: Mapping[str, StoreMaker], *, without_memory: bool = False) -> None:
        self.configuration = configuration
        directory = configuration.state_directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = (directory / "lock").open("a")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"another agent runs with the state directory {directory}: stop that one first") from None
        self.targets = {name: _target(configuration, name) for name in configuration.stores}
        stores = {name: self._store(name, makers[name]) for name in configuration.stores}
        state_file = StateFile(directory)
        state = self._state(state_file, without_memory=without_memory)
        state_file.write(state)
        records = self._records(directory)
        self.authority = Authority(state, state_file, records, configuration.timing)
        self._guarding = Guarding(directory, list(self.targets.values()), configuration.tick_seconds)
        self.keeper = Keeper(configuration, self.authority, self._guarding)
        self.keeper.charges = {
            name: Charge(store, self.targets[name], self.authority, self._guarding, self.keeper.may_write) for name, store in stores.items()
        }
        self._renewals = [Renewal(configuration, self.authority, each) for each in (configuration.controller, configuration.peer)]
        orders = Orders(configuration, self.authority, self.keeper)
        self._service = Service(configuration, self.authority, self.keeper, orders, self._renewals)
        self._ending = threading.Event()
        self._supervising, self._ended = threading.Event(), threading.Event()
        self._supervisors: list[threading.Thread] = []
        self._server: Server | None = None

    def _store(self, name: str, maker: StoreMaker) -> Store:
        section = self.configuration.stores[name]
        try:
            view = View.from_json(section.get("view"))
        except ValueError as error:
            raise BadConfiguration(f"{name}.view: {error}") from error
        try:
            launcher = GroupLauncher(self.targets[name], section.get("os_user"), view)
            # The view is how the launcher starts programs: no store knows of it.
            return maker(self.configuration, {key: value for key, value in section.items() if key != "view"}, launcher)
        except StoreFailure as failure:
            raise BadConfiguration(str(failure)) from failure

    def _state(self, file: StateFile, *, without_memory: bool) -> State:
        state, configured = self._remembered(file, without_memory=without_memory), self.configuration.installation
        if state.installation and configured and state.installation != configured:
            raise CannotStart(
                f"{file.path} is of the installation {state.installation}, the configuration of {configured}: give this agent its own "
                "state_directory, or the configuration that it had"
            )
        return replace(state, installation=state.installation or configured)

    def _remembered(self, file: StateFile, *, without_memory: bool) -> State:
        configuration, stores = self.configuration, list(self.configuration.stores)
        if without_memory:
            self._fence_all()
            return states.without_memory(configuration.region, configuration.ttl_seconds, stores)
        try:
            found = file.read()
        except DamagedState as damage:
            self._fence_all()
            raise CannotStart(str(damage)) from damage
        if found is None:
            return states.fresh(configuration.region, configuration.initial_epoch, configuration.initial_holder, stores)
        if found.region != configuration.region or set(found.roles) != set(stores):
            raise CannotStart(
                f"{file.path} is of region {found.region} with stores {', '.join(found.roles)}, the configuration is of "
                f"{configuration.region} with {', '.join(stores)}: give this agent its own state_directory"
            )
        return found

    def _records(self, directory: Path) -> Records:
        try:
            return Records(directory, self.configuration.region, self.configuration.key)
        except DamagedState as damage:
            self._fence_all()
            raise CannotStart(str(damage)) from damage

    def _fence_all(self) -> None:
        """What can't be trusted must not write."""
        for target in self.targets.values():
            fence.fence(target)

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises CannotStart."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        try:
            self._server = serve(self._service)
        except OSError as error:
            place = f"{self.configuration.host}:{self.configuration.port}"
            raise CannotStart(f"cannot listen on {place}: {error.strerror}; is another agent running there?") from error
        try:
            self.keeper.begin()
            self._thread("keeper", self.keeper.run, self._ended)
            for renewal in self._renewals:
                self._thread(f"renewal-{renewal.name}", renewal.run, self._ended)
            self._initialise()
            for name, charge in self.keeper.charges.items():
                self._supervisors.append(self._thread(f"store-{name}", self.keeper.supervise, charge, self._supervising))
                self._thread(f"heartbeat-{name}", charge.beat, self._supervising)
            print(f"agent {self.configuration.region}: ready on {self.configuration.host}:{self.configuration.port}", flush=True)
            self._ending.wait()
        finally:
            self._stop()

    def _thread(self, name: str, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        thread.start()
        return thread

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ending.set()

    def _initialise(self) -> None:
        state = self.authority.state
        if state.initialised or state.memory.holder != state.region:
            return
        for charge in self.keeper.charges.values():
            fence.open_group(charge.target)
            try:
                with charge.lock:
                    charge.store.initialise_writer(state.memory.epoch.era, state.memory.epoch.epoch)
            except (StoreFailure, StoreRefusal) as failure:
                raise CannotStart(str(failure)) from failure
        self.authority.set_initialised()

    def _stop(self) -> None:
        """Stop the stores while the lease is kept, then everything else."""
        self._supervising.set()
        charges = list(self.keeper.charges.values())
        with ThreadPoolExecutor(max(1, len(charges))) as pool:
            list(pool.map(self._stop_store, charges))
        clean = all(charge.fence().clean for charge in charges)
        if clean:
            for charge in charges:
                charge.disarm()
        self._ended.set()
        self.authority.changed.set()
        self._guarding.end()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if clean:
            for target in self.targets.values():
                groups.remove_group(target.group)

    def _stop_store(self, charge: Charge) -> None:
        if not charge.lock.acquire(timeout=2.0):
            return  # something long is being done to it: the fence ends that
        try:
            if charge.store.alive():
                charge.store.stop_gracefully(STOP_SECONDS)
        except (StoreFailure, StoreRefusal) as failure:
            print(
                f"agent {self.configuration.region}: {charge.name} did not stop orderly and is killed: {failure}",
                file=sys.stderr,
                flush=True,
            )
        finally:
            charge.lock.release()


def _target(configuration: Configuration, name: str) -> fence.Target:
    section = configuration.stores[name]
    key = "data_directory" if "data_directory" in section else "directory"
    if not isinstance(section.get(key), str):
        raise BadConfiguration(f"{name}.{key} must be a text")
    directory = Path(section[key]).resolve()
    mark = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    return fence.Target(name, directory, groups.find_group(f"holdfast-{name}-{mark}", configuration.cgroup))
