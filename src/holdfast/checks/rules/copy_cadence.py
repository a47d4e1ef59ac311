"""HF118: copies and backups leave a component so rarely that more is lost than it promises."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF118"


def _apply(facts: Facts) -> Iterator[Finding]:
    links: dict[str, list[str]] = {}
    for name, link in facts.plan.replication_links.items():
        links.setdefault(link.component, []).append(name)
    for name, component in facts.plan.components.items():
        promised = component.rpo
        if promised is None:
            yield from _unpromised(facts, name, links.get(name, []))
            continue
        yield from _links(facts, name, promised, links.get(name, []))
        if component.backups:
            best = min(component.backups, key=lambda backup: component.backups[backup].every)
            every = component.backups[best].every
            if every > promised:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{component.name} promises to lose at most {spoken_duration(promised)}, but its backups ('{best}') are "
                    f"{spoken_duration(every)} apart: when the copy is spoilt too, that much is lost",
                    (("components", name, "rpo"), ("components", name, "backups", best, "every")),
                    "make backups more often, or keep a log of what is written",
                )
        elif name not in links:
            sentence = f"{component.name} promises to lose at most {spoken_duration(promised)}, but has neither copy nor backup"
            yield Finding(CODE, Severity.WARNING, sentence, (("components", name, "rpo"),), "write 'replication_links' or 'backups'")
        else:
            second: tuple[Place, ...] = (("components", name, "backup_strategy"),) if component.backup_strategy else ()
            told = f", though its second way is '{component.backup_strategy}'" if component.backup_strategy else ""
            sentence = (
                f"{component.name} is copied, and no backup of it is listed{told}: "
                "what is deleted or spoilt is deleted or spoilt in the copy too"
            )
            places = (("components", name), ("replication_links", links[name][0]), *second)
            yield Finding(CODE, Severity.NOTE, sentence, places, "write 'backups' at the component, with how often each is made")


def _unpromised(facts: Facts, name: str, links: list[str]) -> Iterator[Finding]:
    component = facts.plan.components[name]
    kept: tuple[Place, ...] = tuple(("components", name, "backups", key) for key in component.backups)
    kept += tuple(("replication_links", link) for link in links)
    if kept:
        sentence = f"{component.name} is copied or backed up, so it keeps data, and nobody says how much of it may be lost"
        yield Finding(CODE, Severity.NOTE, sentence, (("components", name), *kept), "write 'rpo' at the component")


def _links(facts: Facts, name: str, promised: float, links: list[str]) -> Iterator[Finding]:
    for identifier in links:
        link = facts.plan.replication_links[identifier]
        for key, seconds, what in (("every", link.every, "is copied every"), ("lag_within", link.lag_within, "may be behind by")):
            if seconds is not None and seconds > promised:
                yield Finding(
                    CODE,
                    Severity.WARNING,
                    f"{facts.plan.components[name].name} promises to lose at most {spoken_duration(promised)}, "
                    f"but its copy in {link.target} {what} {spoken_duration(seconds)}",
                    (("components", name, "rpo"), ("replication_links", identifier, key)),
                    "copy more often, or promise what the copy keeps",
                )


RULE = Rule(
    CODE,
    "copies and backups keep up with the promise",
    _apply,
    Explanation(
        means="A component's copies or backups are further apart than what it may lose.",
        why="What was written since the last copy is gone, whatever the promise says.",
        computed=(
            "The component's RPO against each link's `every` and `lag_within`, and against the most frequent backup; components that are "
            "copied and have no RPO, or no backup, are noted."
        ),
        mend="Copy or back up more often, or archive the log.",
        example="cache.rpo: 15m, and its only backup has every: 6h",
    ),
)
