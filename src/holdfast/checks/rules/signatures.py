"""HF135: nobody has approved this version of the plan."""

from collections.abc import Iterator

from holdfast.checks.facts import Facts, listed
from holdfast.checks.finding import Explanation, Finding, Rule, Severity
from holdfast.plan.problems import Place

CODE = "HF135"


def _apply(facts: Facts) -> Iterator[Finding]:
    control, version = facts.plan.document, facts.plan.version
    signed = {signature.by for signature in control.approvals if signature.version == version}
    missing = [name for name in control.approved_by if name not in signed]
    if missing:
        sentence = f"version {version} is to be approved by {listed(missing)}, and no such approval is written down"
        places: tuple[Place, ...] = (("document", "approved_by"), ("document", "approvals"), ("version",))
        yield Finding(CODE, Severity.WARNING, sentence, places, "have it approved, then write who, which version and when")
    elif not signed:
        sentence = f"nobody has approved version {version} of the plan"
        yield Finding(CODE, Severity.WARNING, sentence, (("version",), ("document",)), "write 'approvals' with who, version and day")


RULE = Rule(
    CODE,
    "this version is approved",
    _apply,
    Explanation(
        means="The version at hand lacks an approval.",
        why="A plan that nobody put their name to is a draft.",
        computed="`approved_by` against the approvals of this version.",
        mend="Have it approved, and write it under `document.approvals`.",
        example="version: '1.1', and approvals of version '1.0' only",
    ),
)
