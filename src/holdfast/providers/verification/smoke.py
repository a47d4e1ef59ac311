"""One real transaction of every function in the target region: block `smoke.test`.

The act is the test; `check` and `verify` state what it saw under the very order that they are asked about, so that a test that was not
carried out is never taken for one that passed (after a restart it is carried out again). Nothing is left behind but records marked
as Holdfast's own. A transaction that was acknowledged by a writer of another region than the step means is not served, and does not count.
"""

import asyncio

from holdfast.fencing.order import Order
from holdfast.plan.parameters import region_of, side_of
from holdfast.ports.action import Answer, Finding, Outcome, Result, Task
from holdfast.providers.verification.transaction import Entries, Served, Transaction

RESULTS = {Answer.YES: Result.SUCCEEDED, Answer.NO: Result.FAILED, Answer.UNKNOWN: Result.UNKNOWN}


class SmokeTestAction:
    """Tests every function once."""

    def __init__(self, entries: Entries, *, timeout_seconds: float = 3.0) -> None:
        self._entries = entries
        self._timeout_seconds = timeout_seconds
        self._seen: dict[Order, Finding] = {}

    async def check(self, task: Task) -> Finding:
        """What the test under this order saw."""
        return self._seen.get(task.order) or Finding(Answer.NO, f"nothing was tested under order {task.order.as_text()} yet")

    async def act(self, task: Task) -> Outcome:
        """Carry out one transaction of every function."""
        finding = await self._test(task)
        self._seen = {task.order: finding}
        return Outcome(RESULTS[finding.answer], finding.detail, finding.facts)

    async def verify(self, task: Task) -> Finding:
        """The same answer: the transactions were the proof."""
        return await self.check(task)

    async def _test(self, task: Task) -> Finding:
        region = region_of(task.parameters, task.source, task.target)
        if region not in self._entries.regions:
            return Finding(Answer.UNKNOWN, f"the bindings name no entry of {region}")
        tests = await asyncio.gather(
            *(self._entries.transact(function, region, self._timeout_seconds) for function in self._entries.functions)
        )
        facts = {"functions": {test.function: {"served": test.served.value, "latency_seconds": test.latency_seconds} for test in tests}}
        failed = [test for test in tests if test.served is Served.NO or _elsewhere(test, task)]
        silent = [test for test in tests if test.served is Served.UNKNOWN]
        if failed or silent:
            told = "; ".join(f"{test.function}: {_worded(test, task)}" for test in [*failed, *silent])
            return Finding(Answer.NO if failed else Answer.UNKNOWN, f"in {region}: {told}", facts)
        return Finding(Answer.YES, f"{len(tests)} functions served a real transaction in {region}", facts)


def _elsewhere(test: Transaction, task: Task) -> list[str]:
    """The stores whose acknowledgement came from another region's writer than the step says."""
    wanted = {store: task.source if side_of(task.parameters, store) == "source" else task.target for store in test.regions}
    return [f"{store} by {region}, not by {wanted[store]}" for store, region in sorted(test.regions.items()) if region != wanted[store]]


def _worded(test: Transaction, task: Task) -> str:
    elsewhere = _elsewhere(test, task)
    return f"acknowledged for {'; '.join(elsewhere)}" if elsewhere else test.detail
