"""Appendices that hold only a placeholder, procedures in words, and introductions: what is left when the others have claimed theirs."""

from holdfast.document.reading.draft import Draft, Left, Said, leaf_list
from holdfast.document.reading.things.control import promises
from holdfast.document.reading.tree import Tree


def read(tree: Tree, draft: Draft) -> None:
    """Count empty appendices, take procedures, and let introductory sentences go."""
    for section in tree.sections:
        leaves = section.open_leaves()
        if len(leaves) == 1 and leaves[0].text.startswith("[") and leaves[0].text.endswith("]"):
            draft.empty_appendices.append(Left(leaves[0].claim().text, section.path, leaves[0].line))
            continue
        steps = [leaf for leaf in leaves if leaf.kind == "item"]
        if (
            section.within("procedure*", "runbook*", "checklist*", "manual")
            and section.within("appendix", "appendices", "annex", "procedure*")
            and steps
        ):
            _, entry = draft.entry("procedures", section.name)
            entry["name"] = Said(section.name, section.line)
            entry["steps"] = leaf_list(steps)
        for leaf in leaves:
            leads_in = (
                leaf.kind == "paragraph" and (section.tables or section.children) and not promises(leaf.text) and len(leaf.text) < 300
            )
            if leads_in and not leaf.claimed and not leaf.label:
                before = draft.data.get("summary")
                text = f"{before.value} {leaf.text}" if before is not None else leaf.text
                draft.data["summary"] = Said(text[:4000], before.line if before is not None else leaf.line)
                leaf.claim()
