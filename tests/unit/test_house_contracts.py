"""Every port has a contract suite, every implementation keeps it, and so does every block: told from the source, not from a list."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

from contract.action_suite import ActionSuite
from contract.suite import Suite
from holdfast.app_controller import actions_for
from holdfast.controller.keeper import Keeper
from holdfast.fencing.promise import Timing
from holdfast.plan.blocks import BLOCKS, Actor
from holdfast.plan.loader import load
from holdfast.ports.action import Action
from holdfast.ports.probe import Probe
from holdfast.providers.clock.system import SystemClock
from holdfast.simulation.actions import simulated_actions
from holdfast.simulation.clock import VirtualClock
from holdfast.simulation.journal import MemoryDisk, MemoryPromises
from holdfast.simulation.world import SimulatedWorld
from unit.canary_bindings import some_bindings

ROOT = Path(__file__).resolve().parents[2]
PLAN = load(ROOT / "examples/voicehive/plan.yaml").plan
PROVIDED = {name for name, block in BLOCKS.items() if block.actor is Actor.PROVIDER}


def modules_of(package: str, named: str = r"(?!__main__$)") -> Iterator[ModuleType]:
    """The modules of a package whose own name begins so; a `__main__` is a program, which would run when it is imported."""
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if re.match(named, found.name.rpartition(".")[2]):
            yield importlib.import_module(found.name)


def classes_of(modules: Iterable[ModuleType]) -> set[type]:
    """Classes that stand at the top of these modules."""
    return {
        value for module in modules for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
    }


def ports() -> set[type]:
    return {one for one in classes_of(modules_of("holdfast.ports")) if getattr(one, "_is_protocol", False)}


def asked_for(port: type) -> Mapping[str, Any]:
    """Methods and properties of a port by name."""
    named = {name: value for name, value in vars(port).items() if name == "__call__" or not name.startswith("_")}
    return {name: value for name, value in named.items() if inspect.isfunction(value) or isinstance(value, property)}


def keeps(one: type, port: type) -> bool:
    """Whether a class has everything that a port asks for, under the same names and waiting where the port waits."""
    return all(_alike(getattr(one, name, None), wanted) for name, wanted in asked_for(port).items())


def _alike(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, property):
        return found is not None and not inspect.isfunction(found)
    if not inspect.isfunction(found) or inspect.iscoroutinefunction(found) != inspect.iscoroutinefunction(wanted):
        return False
    return list(inspect.signature(found).parameters) == list(inspect.signature(wanted).parameters)


def passes_on(one: type, port: type) -> bool:
    """Whether a class is made of others behind the same port: what it adds to them is its own affair, and has tests of its own."""
    return any(re.search(rf"\b{port.__name__}\b", str(part.annotation)) for part in inspect.signature(one).parameters.values())


@cache
def implementations() -> dict[type, set[type]]:
    """Port → the classes of the house that stand behind it. What begins with an underscore is a part of another one."""
    public = {
        one for one in classes_of(modules_of("holdfast")) if not one.__name__.startswith("_") and not getattr(one, "_is_protocol", False)
    }
    return {port: {one for one in public if keeps(one, port) and not passes_on(one, port)} for port in ports()}


@cache
def run_by() -> frozenset[type[Suite]]:
    """Everything in tests/contract that belongs to a suite: the suites themselves, and what runs them."""
    written = modules_of("contract", r"test_|\w*suite$")
    return frozenset(one for one in classes_of(written) if issubclass(one, Suite) and one is not Suite)


def unheld(wanted: Mapping[type, Collection[type]], run: Iterable[type[Suite]]) -> list[str]:
    """Ports without a suite, and implementations that no test class of their port's suite runs on."""
    known = list(run)
    found = []
    for port, classes in wanted.items():
        mine = [one for one in known if one.port is port]
        if not mine:
            found.append(f"{port.__name__}: tests/contract has no suite for this port")
            continue
        held = {each for one in mine for each in one.implementations}
        found += [f"{port.__name__}: {each.__module__}.{each.__name__} is run by no test class" for each in classes if each not in held]
    return sorted(found)


@cache
def actions_by_block() -> tuple[tuple[str, type], ...]:
    """Every block with what carries it out: as a controller is wired, and in the simulation."""
    at_rest = VirtualClock(now=lambda: 0.0)
    keeper = Keeper(MemoryPromises(MemoryDisk()), at_rest, Timing(0.0, 0.0), 1.0, tuple(PLAN.regions))
    server = {"host": "127.0.0.1", "port": 1, "zone": "x.test", "key_name": "k", "key_secret_file": "/nonexistent", "ttl_seconds": 1}
    bindings = some_bindings(components={"dns": {"eu-west-1": {"kind": "dns", **server, "entries": {}}}})
    wired = actions_for(PLAN, bindings, {}, keeper, SystemClock(), "asynchronous")
    simulated = simulated_actions(SimulatedWorld(PLAN, "fast", at_rest), keeper)
    return tuple((block, type(action)) for actions in (wired, simulated) for block, action in actions.items())


def unheld_blocks(wanted: Iterable[tuple[str, type]], run: Iterable[type[Suite]]) -> list[str]:
    """Blocks that are carried out by something that no test class runs for them."""
    pairs = {(block, one) for found in run if issubclass(found, ActionSuite) for block in found.blocks for one in found.implementations}
    return sorted(f"{block}: {one.__name__} is not run for it" for block, one in wanted if (block, one) not in pairs)


def test_every_port_has_a_suite_that_every_implementation_keeps() -> None:
    assert unheld(implementations(), run_by()) == []


def test_every_block_that_a_provider_carries_out_is_held_to_the_contract_for_real_and_in_the_simulation() -> None:
    wanted = actions_by_block()
    assert sorted(block for block, _ in wanted) == sorted([*PROVIDED, *PROVIDED])
    assert unheld_blocks(wanted, run_by()) == []


def test_what_is_found_in_the_source_is_what_stands_behind_the_ports() -> None:
    """Deriving can go wrong in silence: a port that nobody seems to implement would be kept by all of nobody."""
    found = implementations()
    assert {port.__name__ for port, classes in found.items() if not classes} == set()
    assert {one for _, one in actions_by_block()} <= found[Action]


class Unheard(Protocol):
    """A port that has no suite."""

    def speak(self) -> str:
        """Never called."""


def test_a_port_without_a_suite_and_an_implementation_that_nobody_runs_are_noticed() -> None:
    found = implementations()
    lonely: dict[type, set[type]] = {Unheard: set(), Probe: {*found[Probe], Keeper}}
    assert unheld(lonely, run_by()) == [
        "Probe: holdfast.controller.keeper.Keeper is run by no test class",
        "Unheard: tests/contract has no suite for this port",
    ]


@pytest.mark.parametrize("block", sorted(PROVIDED))
def test_a_block_whose_run_is_taken_away_is_noticed(block: str) -> None:
    run = {one for one in run_by() if block not in getattr(one, "blocks", ())}
    assert {said.partition(":")[0] for said in unheld_blocks(actions_by_block(), run)} >= {block}
