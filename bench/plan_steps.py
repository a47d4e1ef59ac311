"""A plan with a step for every component, each after the steps of what it needs: harder to forecast than the plans of `plan_size`."""

import random

_KINDS = ("postgres", "redis", "bucket", "application")
_BLOCKS = {"postgres": "postgres.promote", "redis": "redis.promote", "bucket": "bucket.activate", "application": "settings.update"}
_HEAD = """schema: holdfast/plan/v1
name: A plan of {functions} functions and {components} components
version: "1"
document: {{ owner: Bench }}
objectives: {{ rto: 30m, rpo: 5m }}
regions:
  one: {{ role: primary }}
  two: {{ role: dr }}
financial_tiers:
  - {{ from: 0s, to: 30m, revenue_loss_usd: 1000, customer_impact: small, regulatory_risk: low }}
  - {{ from: 30m, revenue_loss_usd: 9000, revenue_loss: at-least, customer_impact: large, regulatory_risk: high }}
people:
  ada: {{ name: Ada, title: Engineer }}
  ben: {{ name: Ben, title: Engineer }}
roles:
  lead: {{ name: Lead, primary: ada, backup: ben }}
approval:
  activation: {{ count: 1, of: [lead], answer_within: 10m }}
"""


def steps_text(functions: int, components: int, seed: int = 1) -> str:
    """The plan's file. The same numbers give the same text. At least one function and eight components."""
    draw = random.Random(seed)
    names = [f"c{number}" for number in range(components - 1)]
    kinds = {name: _KINDS[number % len(_KINDS)] for number, name in enumerate(names)}
    needs: dict[str, list[str]] = {}
    for number, name in enumerate(names):
        needs[name] = sorted({names[draw.randrange(max(0, number - 40), number)] for _ in range(number % 3)})
    lines = [_HEAD.format(functions=functions, components=components), "components:"]
    for name in names:
        rpo = "" if kinds[name] == "application" else ", rpo: 5m"
        what = f"kind: {kinds[name]}, name: Component {name}, primary_strategy: The other region"
        lines.append(f"  {name}: {{ {what}, rto: 30m{rpo}, needs: [{', '.join(needs[name])}] }}")
    lines += ["  names: { kind: dns, name: Names, primary_strategy: The other region, rto: 30m }", "functions:"]
    for number in range(functions):
        on = sorted(draw.sample(names, k=min(len(names), 10)))
        promise = f"name: Function {number}, priority: P1, rto: {draw.choice((15, 30, 45))}m, rpo: 5m, impact: None"
        lines.append(f"  f{number}: {{ {promise}, stands_on: [names, {', '.join(on)}] }}")
    return "\n".join([*lines, *_scenario(draw, names, kinds, needs)]) + "\n"


def _scenario(draw: random.Random, names: list[str], kinds: dict[str, str], needs: dict[str, list[str]]) -> list[str]:
    lines = [
        "scenarios:",
        "  outage:",
        "    name: Outage",
        "    triggers: [{ kind: network-lost }]",
        "    phases:",
        "      - name: Decision",
        "        window: [0s, 10m]",
        "        steps:",
        "          - { id: assess, block: assess, takes: [1s, 5s] }",
        "          - { id: approve, block: approve, after: [assess], takes: [1m, 3m, 10m] }",
        "          - { id: fence, block: fence, after: [approve] }",
        "      - name: Recovery",
        "        window: [10m, 25m]",
        "        steps:",
    ]
    for name in names:
        shortest, usual, longest = draw.randint(1, 20), draw.randint(21, 30), draw.randint(31, 110)
        after = ", ".join(f"back-{need}" for need in needs[name]) or "fence"
        takes = "" if draw.random() < 0.1 else f", takes: [{shortest}s, {usual}s, {longest}s]"
        lines.append(f"          - {{ id: back-{name}, block: {_BLOCKS[kinds[name]]}, component: {name}, after: [{after}]{takes} }}")
    return [
        *lines,
        "      - name: Traffic",
        "        window: [25m, 30m]",
        "        steps:",
        "          - { id: switch-names, block: dns.switch, component: names, takes: [5s, 20s, 60s] }",
        "          - { id: smoke-test, block: smoke.test, after: [switch-names], takes: [5s, 60s] }",
        "          - { id: confirm, block: confirm, after: [smoke-test] }",
    ]
