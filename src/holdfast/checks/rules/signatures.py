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
    changed = control.last_updated
    for number, signature in enumerate(control.approvals):
        if signature.version == version and changed is not None and signature.on < changed:
            sentence = f"{signature.by} approved version {version} on {signature.on}, and it was changed after that, on {changed}"
            places = (("document", "approvals", number, "on"), ("document", "last_updated"))
            yield Finding(CODE, Severity.WARNING, sentence, places, "give the change a version of its own, and have it approved")


RULE = Rule(
    CODE,
    "this version is approved",
    _apply,
    Explanation(
        means="The version at hand lacks an approval, or was changed after it.",
        why="A plan that nobody put their name to is a draft.",
        computed="`approved_by` against the approvals of this version, and their days against `last_updated`.",
        mend="Have it approved, and write it under `document.approvals`.",
        example="version: '1.1', and approvals of version '1.0' only",
    ),
)
