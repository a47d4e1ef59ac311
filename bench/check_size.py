"""How loading and checking a plan grow with its size: `python -m bench.check_size` prints a row a size.

The plan is made here: functions stand on a few components each, and components need those before them, ten deep.
"""

import time
from datetime import date
from pathlib import Path

from holdfast.checks import check
from holdfast.plan.loader import load_bytes

SIZES = (50, 500, 5000)
_DEEP = 10
_HEAD = """schema: holdfast/plan/v1
name: A plan of many parts
version: "1"
document: { owner: Bench }
objectives: { rto: 30m, rpo: 5m }
regions:
  here: { role: primary }
  there: { role: dr }
people:
  ann: { name: Ann, title: Lead, email: ann@bench.example }
  bob: { name: Bob, title: Deputy, email: bob@bench.example }
roles:
  lead: { name: Lead, primary: ann, backup: bob }
approval: { activation: { count: 1, of: [lead], answer_within: 5m } }
scenarios:
  outage:
    name: Outage
    triggers: [{ kind: network-lost }]
    phases:
      - { name: All, window: [0s, 20m], steps: [{ id: assess, block: assess }, { id: approve, block: approve, after: [assess] }] }
"""


def text_of(components: int) -> str:
    """A plan with this many components and a tenth as many functions."""
    lines = [_HEAD, "components:\n"]
    for number in range(components):
        needs = f", needs: [part-{number - 1}]" if number % _DEEP else ""
        lines.append(
            f"  part-{number}: {{ kind: postgres, name: Part {number}, primary_strategy: Promote, backup_strategy: Restore, "
            f"rto: 10m, rpo: 5m{needs}, "
            f"backups: {{ log: {{ name: Log, every: 0s, restored_every: weekly, last_restored: 2026-01-01 }} }} }}\n"
        )
    lines.append("functions:\n")
    for number in range(components // _DEEP):
        stands_on = ", ".join(f"part-{(number * step + _DEEP - 1) % components}" for step in (_DEEP, 7, 3))
        lines.append(
            f"  function-{number}: {{ name: Function {number}, priority: P1, rto: 15m, rpo: 5m, impact: None, stands_on: [{stands_on}] }}\n"
        )
    return "".join(lines)


def main() -> None:
    """Print the table."""
    print(f"{'components':>10} {'functions':>9} {'load':>8} {'check':>8} {'together':>8}")
    for size in SIZES:
        content = text_of(size).encode()
        start = time.process_time()
        loaded = load_bytes(content, Path("bench.yaml"))
        between = time.process_time()
        check(loaded.plan, date(2026, 11, 28))
        end = time.process_time()
        print(f"{size:>10} {size // _DEEP:>9} {between - start:>6.2f} s {end - between:>6.2f} s {end - start:>6.2f} s")


if __name__ == "__main__":
    main()
