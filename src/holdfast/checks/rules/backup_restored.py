"""HF130: a backup is never restored, or its last restore is too old."""

from collections.abc import Iterator
from datetime import date

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF130"


def _apply(facts: Facts) -> Iterator[Finding]:
    for name, component in facts.plan.components.items():
        never = [backup for backup, kept in component.backups.items() if kept.restored_every is None]
        if never:
            places: tuple[Place, ...] = tuple(("components", name, "backups", backup) for backup in never)
            words = listed(repr(component.backups[backup].name) for backup in never)
            sentence = f"the plan never restores what it backs up of {component.name}: {words}"
            yield Finding(CODE, Severity.WARNING, sentence, places, "write 'restored_every', and 'last_restored' after each")
        for backup, kept in component.backups.items():
            if kept.restored_every is None or facts.today is None:
                continue
            place: Place = ("components", name, "backups", backup)
            days = (facts.today - date.fromisoformat(kept.last_restored)).days if kept.last_restored is not None else None
            if days is None or days * 86400 > kept.restored_every:
                last = "was never restored" if days is None else f"was restored {days} days ago"
                sentence = (
                    f"'{kept.name}' of {component.name} {last}, and the plan asks for it every {spoken_duration(kept.restored_every)}"
                )
                places = ((*place, "restored_every"), *(((*place, "last_restored"),) if days is not None else ()))
                yield Finding(CODE, Severity.WARNING, sentence, places, "restore it aside, prove it, then write the day")


RULE = Rule(
    CODE,
    "backups are restored",
    _apply,
    Explanation(
        means="A backup is not restored, or not as often as the plan says.",
        why="Only a restore proves a backup.",
        computed="`restored_every` and `last_restored` of every backup, against today.",
        mend="Plan the restore, do it, and write the day.",
        example="backups.snapshot without restored_every",
    ),
)
