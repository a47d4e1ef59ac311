"""Block `withdraw`: a region's agent learns that an epoch is never opened, and goes on as before.

The target of the aborted run must know first; then the source may write again. Which of them is asked stands in the parameter `region`;
the order names the epoch that is withdrawn. Never here: the order of the two, and the controller's own promise.
"""

from collections.abc import Callable, Mapping

from holdfast.ports.action import Answer, Finding, Outcome, Task
from holdfast.ports.clock import Clock
from holdfast.providers.agents.actions import give
from holdfast.providers.agents.client import AgentClient, AgentSilent

_ORDER_SECONDS = 5.0


class WithdrawAction:
    """Implements `holdfast.ports.action.Action`. `has_consented`: whether the controller itself consented to the epoch."""

    def __init__(self, agents: Mapping[str, AgentClient], clock: Clock, has_consented: Callable[[], bool]) -> None:
        self._agents = agents
        self._clock = clock
        self._has_consented = has_consented

    async def check(self, task: Task) -> Finding:
        """Whether the agent was told, and a region that may write asks for its right again."""
        region = str(task.parameters["region"])
        try:
            status = await self._agents[region].status()
        except AgentSilent as silence:
            return Finding(Answer.UNKNOWN, str(silence))
        epoch = (task.order.era, task.order.epoch)
        known = tuple(status.get("withdrawn") or (-1, -1))
        lease = float(status.get("lease_remaining_seconds") or 0.0)
        facts = {"role": status.get("role"), "withdrawn": status.get("withdrawn"), "lease_remaining_seconds": lease}
        if known < epoch or status.get("pledged"):
            return Finding(Answer.NO, f"{region} was not told that epoch {epoch[0]}.{epoch[1]} is withdrawn", facts)
        if region != task.target:
            return Finding(Answer.YES, f"{region} knows that epoch {epoch[0]}.{epoch[1]} is never opened", facts)
        if status.get("role") != "holder":
            return Finding(Answer.NO, f"{region} is {status.get('role')} and asks for no lease", facts)
        return Finding(Answer.YES, f"{region} asks for its right to write again, and has it for {lease:.1f} s", facts)

    async def act(self, task: Task) -> Outcome:
        """Tell it."""
        agent = self._agents[str(task.parameters["region"])]
        arguments = {"controller_consented": self._has_consented()}
        return await give(agent, task.order, "withdraw", arguments, self._clock, _ORDER_SECONDS)

    async def verify(self, task: Task) -> Finding:
        """The same question; and a region that may write has its right back, which takes it a moment."""
        finding = await self.check(task)
        if finding.answer is Answer.YES and task.parameters["region"] == task.target and finding.facts["lease_remaining_seconds"] <= 0:
            return Finding(Answer.NO, f"{task.target} has no lease yet", finding.facts)
        return finding
