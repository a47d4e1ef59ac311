"""Whether every function holds the plan's numbers in the target region for a while: block `performance.watch`.

For the time that the step names (`for`), each function gets a transaction every so often; then its successes and its 95th percentile of
latency are held against the plan's definition of *degraded*. A transaction without an answer is no success.
The act is the watch; `check` and `verify` state what it saw under the very order that they are asked about.
"""

import asyncio
import math
from collections.abc import Mapping

from holdfast.fencing.order import Order
from holdfast.plan.model import Function
from holdfast.plan.parameters import region_of
from holdfast.plan.values import duration_seconds
from holdfast.ports.action import Answer, Finding, Outcome, Task
from holdfast.providers.verification.smoke import RESULTS
from holdfast.providers.verification.transaction import Entries, Served, Transaction

_DEFAULT_FOR = "10s"


class PerformanceWatchAction:
    """Watches every function of the plan."""

    def __init__(
        self, entries: Entries, functions: Mapping[str, Function], *, every_seconds: float = 0.5, timeout_seconds: float = 3.0
    ) -> None:
        self._entries = entries
        self._functions = functions
        self._every_seconds = every_seconds
        self._timeout_seconds = timeout_seconds
        self._seen: dict[Order, Finding] = {}

    async def check(self, task: Task) -> Finding:
        """What the watch under this order saw."""
        return self._seen.get(task.order) or Finding(Answer.NO, f"nothing was watched under order {task.order.as_text()} yet")

    async def act(self, task: Task) -> Outcome:
        """Watch."""
        finding = await self._watch(task)
        self._seen = {task.order: finding}
        return Outcome(RESULTS[finding.answer], finding.detail, finding.facts)

    async def verify(self, task: Task) -> Finding:
        """The same answer: what was seen is the proof."""
        return await self.check(task)

    async def _watch(self, task: Task) -> Finding:
        region = region_of(task.parameters, task.source, task.target)
        if region not in self._entries.regions:
            return Finding(Answer.UNKNOWN, f"the bindings name no entry of {region}")
        until = self._entries.clock.steady_seconds() + _watch_seconds(task)
        rows = await asyncio.gather(*(self._one(function, region, until) for function in self._functions))
        return self._judge(dict(zip(self._functions, rows, strict=True)), task)

    async def _one(self, function: str, region: str, until_seconds: float) -> list[Transaction]:
        clock, seen = self._entries.clock, list[Transaction]()
        while not seen or clock.steady_seconds() < until_seconds:
            started = clock.steady_seconds()
            seen.append(await self._entries.transact(function, region, self._timeout_seconds))
            await clock.sleep(max(0.0, self._every_seconds - (clock.steady_seconds() - started)))
        return seen

    def _judge(self, seen: Mapping[str, list[Transaction]], task: Task) -> Finding:
        facts, short, silent = {}, [], True
        for function, rows in seen.items():
            success_percent = 100 * sum(row.served is Served.YES for row in rows) / len(rows)
            p95_seconds = _percentile_95([row.latency_seconds for row in rows])
            facts[function] = {"transactions": len(rows), "success_percent": success_percent, "p95_seconds": p95_seconds}
            limits = self._functions[function].degraded
            if success_percent < limits.success_percent_below:
                reason = next((row.detail for row in rows if row.served is not Served.YES), "")
                short.append(f"{function}: {success_percent:.0f} % served, {limits.success_percent_below:g} % needed ({reason})")
            elif p95_seconds > limits.p95_latency_above:
                short.append(f"{function}: 95th percentile {p95_seconds:.2f} s, {limits.p95_latency_above:g} s allowed")
            silent = silent and all(row.served is Served.UNKNOWN for row in rows)
        if not short:
            worst = max(entry["p95_seconds"] for entry in facts.values())
            told = f"{len(facts)} functions hold the plan's numbers; worst 95th percentile {worst:.2f} s"
            return Finding(Answer.YES, told, {"functions": facts})
        answer = Answer.UNKNOWN if silent else Answer.NO
        where = region_of(task.parameters, task.source, task.target)
        return Finding(answer, f"in {where}: {'; '.join(short)}", {"functions": facts})


def _watch_seconds(task: Task) -> float:
    return duration_seconds(str(task.parameters.get("for", _DEFAULT_FOR)))


def _percentile_95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[math.ceil(0.95 * len(ordered)) - 1]
