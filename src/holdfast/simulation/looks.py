"""How an effect in the simulated world is looked at and brought about."""

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.ports.action import Answer, Finding, Task
from holdfast.simulation.world import SimulatedWorld

Look = Callable[[SimulatedWorld, Task], Finding]
Bring = Callable[[SimulatedWorld, Task], Mapping[str, Any]]
"""Bring the effect about; returns facts. Raises HigherOrderError or PermissionError when the effector says no."""


def found(yes: bool, there: str, lacking: str, **facts: Any) -> Finding:
    """A finding in words for both cases."""
    return Finding(Answer.YES, there, facts) if yes else Finding(Answer.NO, lacking, facts)
