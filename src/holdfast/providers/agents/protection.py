"""Dropping and taking up protection through the agent of the region that writes. The agent records the change before it makes it."""

from collections.abc import Mapping

from holdfast.ports.action import Outcome, Result
from holdfast.ports.protection import ModeWish
from holdfast.providers.agents.actions import outcome_of
from holdfast.providers.agents.client import AgentClient, AgentSilent


class AgentProtector:
    """Implements `holdfast.ports.protection.Protector`."""

    def __init__(self, agents: Mapping[str, AgentClient], *, timeout_seconds: float = 10.0) -> None:
        self._agents = agents
        self._timeout_seconds = timeout_seconds

    async def set_mode(self, wish: ModeWish) -> Outcome:
        """One order. An agent that is busy with another one has not obeyed it: *unknown*, and a person may ask again."""
        agent = self._agents.get(wish.region)
        if agent is None:
            return Outcome(Result.REFUSED, f"the bindings name no agent in {wish.region}; nothing was ordered")
        verb = f"{wish.kind}.synchronous"
        try:
            answer = await agent.order(wish.order, verb, {"mode": wish.mode}, self._timeout_seconds)
        except AgentSilent as silence:
            return Outcome(Result.UNKNOWN, f"{silence}: whether {verb} was obeyed is not known")
        return outcome_of(answer)
