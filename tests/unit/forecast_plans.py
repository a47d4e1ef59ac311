"""Small plans for forecasts: steps of one phase, one function, and a detection that takes no time worth speaking of."""

from holdfast.plan.model import Plan
from unit.plan_texts import loaded

_TEXT = """schema: holdfast/plan/v1
name: Small
version: "1"
document: {{ owner: Nobody }}
objectives: {{ rto: 30m }}
functions:
  shop: {{ name: Shop, priority: P1, rto: {rto}, rpo: 5m, impact: None }}
regions:
  one: {{ role: primary }}
  two: {{ role: dr }}
people:
  ada: {{ name: Ada, title: Engineer }}
  ben: {{ name: Ben, title: Engineer }}
roles:
  lead: {{ name: Lead, primary: ada, backup: ben }}
approval:
  activation: {{ count: 1, of: [lead], answer_within: 10m }}
profiles:
  default: {{ lease: 15s, hold: 0s, probe_every: 1ms, probe_timeout: 1ms }}
financial_tiers:
{tiers}
scenarios:
  outage:
    name: Outage
    triggers: [{{ kind: network-lost }}]
    phases:
      - name: All of it
        window: [0s, {window}]
        steps:
{steps}
"""
TIERS = (
    "{ from: 0s, to: 15m, revenue_loss_usd: 1000, customer_impact: minimal, regulatory_risk: low }",
    "{ from: 15m, to: 1h, revenue_loss_usd: 10000, customer_impact: moderate, regulatory_risk: medium }",
    "{ from: 1h, revenue_loss_usd: 200000, revenue_loss: at-least, customer_impact: severe, regulatory_risk: critical }",
)


def step(name: str, takes: str = "", after: str = "", block: str = "manual, parameters: { text: do it }") -> str:
    """A step as the plan writes it; by itself a manual one, which a person ticks off."""
    return f"{{ id: {name}, block: {block}, after: [{after}]{f', takes: [{takes}]' if takes else ''} }}"


def plan_of(*steps: str, rto: str = "30s", window: str = "1h", tiers: tuple[str, ...] = TIERS) -> Plan:
    """The plan with these steps in its only phase."""
    lines = "\n".join(f"          - {one}" for one in steps)
    return loaded(_TEXT.format(rto=rto, window=window, steps=lines, tiers="\n".join(f"  - {one}" for one in tiers))).plan
