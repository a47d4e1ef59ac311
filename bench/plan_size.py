"""How long a big plan takes to load, and how that grows: plans of made-up functions and components, from small to 5,000 components.

`plan_text` is for others too: checks and forecasts are measured on the same plans.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from holdfast.plan.loader import load

SIZES = ((5, 50), (50, 500), (500, 5000))
"""Functions and components of each plan measured."""
_KINDS = ("postgres", "redis", "bucket", "application", "network", "loadbalancer", "dns")
_HEAD = """\
schema: holdfast/plan/v1
name: A plan of {functions} functions
version: "1"
document: {{ owner: Bench }}
objectives: {{ rto: 30m, rpo: 5m }}
regions:
  north: {{ role: primary }}
  south: {{ role: dr }}
people:
  ann: {{ name: Ann, title: Engineer, email: ann@bench.example }}
  bob: {{ name: Bob, title: Engineer, email: bob@bench.example }}
roles:
  technical-lead: {{ name: Technical Lead, primary: ann, backup: bob }}
  decider: {{ name: Decider, primary: bob, backup: ann }}
approval:
  activation: {{ count: 1, of: [decider], answer_within: 5m }}
"""


def plan_text(functions: int, components: int) -> str:
    """A plan that loads: each function stands on ten components of its own part of the graph, each component needs one before it."""
    lines = [_HEAD.format(functions=functions), "functions:\n"]
    for number in range(functions):
        stands_on = ", ".join(f"c-{(number * 10 + offset) % components}" for offset in range(min(10, components)))
        lines.append(
            f"  f-{number}:\n    name: Function {number}\n    priority: P{1 + number % 4}\n    rto: {30 + number % 90}m\n"
            f"    rpo: {5 + number % 55}m\n    impact: Function {number} is missed\n    stands_on: [{stands_on}]\n"
        )
    lines.append("components:\n")
    for number in range(components):
        kind = _KINDS[number % len(_KINDS)]
        needs = f"\n    needs: [c-{number - 1}]" if number % 10 else ""
        keeps = f"\n    rpo: {5 + number % 30}m" if kind in ("postgres", "redis", "bucket") else ""
        lines.append(
            f"  c-{number}:\n    kind: {kind}\n    name: Component {number}\n    primary_strategy: The other region takes over\n"
            f"    backup_strategy: Build it again\n    rto: {5 + number % 25}m{keeps}{needs}\n"
        )
    lines.append(_scenario(functions, components))
    return "".join(lines)


def _scenario(functions: int, components: int) -> str:
    """One scenario that promotes what can be promoted, a step a store, after the fence."""
    stores = [number for number in range(components) if _KINDS[number % len(_KINDS)] in ("postgres", "redis", "bucket")]
    blocks = {"postgres": "postgres.promote", "redis": "redis.promote", "bucket": "bucket.activate"}
    steps = [
        f"          - {{ id: move-{number}, block: {blocks[_KINDS[number % len(_KINDS)]]}, component: c-{number}, "
        "after: [fence], takes: [5s, 20s, 1m] }\n"
        for number in stores
    ]
    return (
        "scenarios:\n  outage:\n    name: Outage\n    triggers: [{ kind: network-lost }]\n    phases:\n"
        "      - name: Deciding\n        window: [0s, 5m]\n        steps:\n"
        "          - { id: assess, block: assess }\n"
        "          - { id: approve, block: approve, after: [assess], takes: [1m, 3m, 10m] }\n"
        "      - name: Moving\n        window: [5m, 20m]\n        steps:\n"
        "          - { id: fence, block: fence, after: [approve], takes: [1s, 10s, 1m] }\n"
        f"{''.join(steps)}"
        "      - name: Proving\n        window: [20m, 30m]\n        steps:\n"
        "          - { id: smoke-test, block: smoke.test, takes: [10s, 1m, 5m] }\n"
        "          - { id: confirm, block: confirm, after: [smoke-test] }\n"
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """One plan: its size, and seconds of the processor to load it."""

    functions: int
    components: int
    bytes: int
    seconds: float


def measure() -> tuple[Measured, ...]:
    """Load a plan of each size once."""
    found = []
    with tempfile.TemporaryDirectory() as directory:
        for functions, components in SIZES:
            path = Path(directory) / "plan.yaml"
            path.write_text(plan_text(functions, components), encoding="utf-8")
            began = time.process_time()
            load(path)
            found.append(Measured(functions, components, path.stat().st_size, time.process_time() - began))
    return tuple(found)


AIM_SECONDS = 2.0
"""Loading is allowed to take so long of the three seconds in which the largest plan is to be loaded and checked."""


def main() -> int:
    """Print the table; 1 when the largest plan takes longer than the aim."""
    print("functions  components      bytes   loaded in")
    found = measure()
    for one in found:
        print(f"{one.functions:9}  {one.components:10}  {one.bytes:9}  {one.seconds:8.2f} s")
    return int(found[-1].seconds > AIM_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
