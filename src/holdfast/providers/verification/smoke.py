"""One real transaction of every function in the target region: block `smoke.test`.

Looking and acting are the same thing here: nothing is left behind but records marked as Holdfast's own. A transaction that was
acknowledged by a writer of another region than the target is not served *there*, and does not count.
"""

import asyncio

from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.verification.transaction import Entries, Served, Transaction


class SmokeTestAction:
    """Tests every function once."""

    def __init__(self, entries: Entries, *, timeout_seconds: float = 3.0) -> None:
        self._entries = entries
        self._timeout_seconds = timeout_seconds

    async def check(self, task: Task) -> Finding:
        """Always *no*: yesterday's test proves nothing, so it is always done again."""
        return Finding(Answer.NO, f"step {task.step} tests anew each time")

    async def act(self, task: Task) -> Outcome:
        """Carry out one transaction of every function."""
        finding = await self.verify(task)
        result = {Answer.YES: Result.SUCCEEDED, Answer.NO: Result.FAILED, Answer.UNKNOWN: Result.UNKNOWN}[finding.answer]
        return Outcome(result, finding.detail, finding.facts)

    async def verify(self, task: Task) -> Finding:
        """The same, once more: served twice in a row."""
        if task.target not in self._entries.regions:
            return Finding(Answer.UNKNOWN, f"the bindings name no entry of {task.target}")
        tests = await asyncio.gather(
            *(self._entries.transact(function, task.target, self._timeout_seconds) for function in self._entries.functions)
        )
        facts = {"functions": {test.function: {"served": test.served.value, "latency_seconds": test.latency_seconds} for test in tests}}
        failed = [test for test in tests if test.served is Served.NO or _served_elsewhere(test, task.target)]
        silent = [test for test in tests if test.served is Served.UNKNOWN]
        if failed or silent:
            told = "; ".join(f"{test.function}: {_worded(test, task.target)}" for test in [*failed, *silent])
            return Finding(Answer.NO if failed else Answer.UNKNOWN, f"in {task.target}: {told}", facts)
        return Finding(Answer.YES, f"{len(tests)} functions served a real transaction in {task.target}", facts)


def _served_elsewhere(test: Transaction, target: str) -> bool:
    return any(region != target for region in test.regions)


def _worded(test: Transaction, target: str) -> str:
    return f"acknowledged by {', '.join(test.regions)}, not by {target}" if _served_elsewhere(test, target) else test.detail
