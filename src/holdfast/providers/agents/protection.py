"""Dropping and taking up protection through the agent of the region that writes. The agent records the change before it makes it."""

from collections.abc import Mapping

from holdfast.ports.action import Outcome, Result
from holdfast.ports.clock import Clock
from holdfast.ports.protection import ModeWish
from holdfast.providers.agents.actions import give
from holdfast.providers.agents.client import AgentClient

PATIENCE_SECONDS = 9.0
"""How long an agent that is at another order is asked again: with the last asking it ends before its caller stops waiting for it."""


class AgentProtector:
    """Implements `holdfast.ports.protection.Protector`."""

    def __init__(self, agents: Mapping[str, AgentClient], clock: Clock, *, timeout_seconds: float = 10.0) -> None:
        self._agents = agents
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def set_mode(self, wish: ModeWish) -> Outcome:
        """One order, given again for a while where the agent says that it is at another one; then unknown, with what it said last."""
        agent = self._agents.get(wish.region)
        if agent is None:
            return Outcome(Result.REFUSED, f"the bindings name no agent in {wish.region}; nothing was ordered")
        verb, arguments = f"{wish.kind}.synchronous", {"mode": wish.mode}
        return await give(agent, wish.order, verb, arguments, self._clock, self._timeout_seconds, patience_seconds=PATIENCE_SECONDS)
