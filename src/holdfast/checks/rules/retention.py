"""HF136: records are kept shorter than a named regulation asks."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place
from holdfast.plan.values import spoken_duration

CODE = "HF136"


_RECORDS = ("audit", "log", "evidence", "record", "incident")
_KNOWN_SECONDS = {"pci": 365 * 86400.0}
"""What regulations ask for whatever the plan says of them: PCI DSS keeps audit logs for twelve months."""


def _apply(facts: Facts) -> Iterator[Finding]:
    plan = facts.plan
    for name, regulation in plan.regulations.items():
        place: Place = ("regulations", name)
        known = next((seconds for word, seconds in _KNOWN_SECONDS.items() if word in f"{name} {regulation.name}".casefold()), 0.0)
        asked = max(known, regulation.records_kept_for or 0.0)
        if known > (regulation.records_kept_for or known):
            sentence = f"the plan keeps records for {regulation.name} {spoken_duration(regulation.records_kept_for or 0)}, "
            sentence += f"and it asks for {spoken_duration(known)}"
            yield Finding(CODE, Severity.WARNING, sentence, ((*place, "records_kept_for"),), f"write {spoken_duration(known)}")
        asking = (*place, "records_kept_for")
        if plan.document.retention is not None and plan.document.retention < asked:
            sentence = f"{regulation.name} asks for records of {spoken_duration(asked)}, and the plan is kept for "
            sentence += spoken_duration(plan.document.retention)
            yield Finding(CODE, Severity.WARNING, sentence, (asking, ("document", "retention")), "keep it longer")
        for kind, data in plan.data.items():
            words = f"{kind} {data.name}".casefold().replace("-", " ").split()
            if data.kept_for < asked and any(word in words for word in _RECORDS):
                sentence = f"{regulation.name} asks for records of {spoken_duration(asked)}, and '{data.name}' is kept for "
                sentence += spoken_duration(data.kept_for)
                yield Finding(CODE, Severity.WARNING, sentence, (asking, ("data", kind, "kept_for")), "keep it longer")


RULE = Rule(
    CODE,
    "records are kept long enough",
    _apply,
    Explanation(
        means="Audit logs, evidence or the plan itself are kept shorter than a regulation named in the plan asks.",
        why="What is gone can't be shown to an auditor.",
        computed="`records_kept_for`, and what is known of PCI DSS, against `document.retention` and the kinds of data that are records.",
        mend="Keep them longer.",
        example="records_kept_for: 365d, and an audit log kept for 90d",
    ),
)
