"""`holdfast explain [CODE]`: what a rule of `holdfast check` means, why it matters, and how to mend what it finds."""

from dataclasses import asdict
from typing import Any

from holdfast.cli.output import CommandError, ExitCode, OutputFormat, print_json, print_next, screen, table

SCHEMA = "holdfast/explain/v1"


def explain(code: str | None = None, *, output: OutputFormat = "text") -> int:
    """Say what a rule of `holdfast check` means and how to mend what it finds; without a code, list all rules.

    Example: `holdfast explain HF101`

    Parameters
    ----------
    code
        The rule's code, as a finding names it.
    output
        For people or for programs.
    """
    from holdfast.checks import ALL
    from holdfast.checks.loading import NOT_LOADED
    from holdfast.plan.problems import did_you_mean

    rules = {rule.code: rule for rule in (NOT_LOADED, *ALL)}
    wanted = None if code is None else code.upper()
    if wanted is not None and wanted not in rules:
        raise CommandError(f"no rule has the code '{code}': {did_you_mean(wanted, rules)}\nnext: holdfast explain")
    chosen = list(rules.values()) if wanted is None else [rules[wanted]]
    if output == "json":
        listed: list[dict[str, Any]] = [{"code": rule.code, "title": rule.title, **asdict(rule.explanation)} for rule in chosen]
        print_json({"schema": SCHEMA, "rules": listed})
        return ExitCode.FINE
    out = screen()
    if wanted is None:
        out.print(f"{len(chosen)} rules")
        out.print()
        out.print(table(["rule", "what must be so"], [[rule.code, rule.title] for rule in chosen]))
        out.print()
        print_next(f"holdfast explain {chosen[0].code}")
        return ExitCode.FINE
    rule = chosen[0]
    said = rule.explanation
    out.print(f"{rule.code}: {rule.title}", markup=False)
    for word, text in (("found", said.means), ("why", said.why), ("how", said.computed), ("mend", said.mend), ("example", said.example)):
        out.print(f"\n{word:8}{text}", markup=False)
    out.print()
    print_next("holdfast check PLAN")
    return ExitCode.FINE
