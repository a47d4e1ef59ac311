"""Appendices that hold only a placeholder, procedures in words, and introductions: what is left when the others have claimed theirs."""

from holdfast.document.reading.draft import Draft, Left, Said, leaf_list
from holdfast.document.reading.things.control import LONGEST_SUMMARY, holds_data
from holdfast.document.reading.things.messages import TALKS
from holdfast.document.reading.tree import Leaf, Section, Tree


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
            and not (section.within(*TALKS) and any(leaf.label for leaf in steps))  # what a message rule left
        ):
            _, entry = draft.entry("procedures", section.name)
            entry["name"] = Said(section.name, section.line)
            entry["steps"] = leaf_list(steps)
        _introduction([leaf for leaf in leaves if not leaf.claimed], section, draft)


def _introduction(leaves: list[Leaf], section: Section, draft: Draft) -> None:
    """Paragraphs that lead in to what follows join the plan's summary, as long as there is room in it."""
    if not (section.tables or section.children):
        return
    for leaf in leaves:
        before = draft.data.get("summary")
        room = LONGEST_SUMMARY - (len(before.value) if before is not None else 0)
        if leaf.kind == "paragraph" and not leaf.label and len(leaf.text) < min(300, room) and not holds_data(leaf.text):
            text = f"{before.value} {leaf.text}" if before is not None else leaf.text
            draft.data["summary"] = Said(text, before.line if before is not None else leaf.line)
            leaf.claim()
