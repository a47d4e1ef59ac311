"""What `check` found, as a section: an auditor sees what the plan can't keep beside what it promises."""

from collections.abc import Sequence

from holdfast.checks import Finding
from holdfast.document.exact.cells import Cell, Run, said
from holdfast.document.writing.blocks import Block, Column, Heading, Paragraph, Table
from holdfast.document.writing.values import place_cell

_MOST_PLACES = 2


def findings_blocks(findings: Sequence[Finding]) -> list[Block]:
    """Code, severity and sentence of each, with both places."""
    blocks: list[Block] = [Heading(2, "Findings of holdfast check")]
    if not findings:
        return [*blocks, Paragraph("No rule found a promise that this plan can't keep.")]
    rows = tuple(
        (
            Cell((Run(finding.code, code=True),)),
            said(finding.severity.value),
            said(f"{finding.ended} {finding.hint[:1].upper()}{finding.hint[1:]}."),
            said("; ".join(_named(place) for place in finding.places[:_MOST_PLACES])),
        )
        for finding in findings
    )
    columns = (Column("Code"), Column("Severity"), Column("What"), Column("Where"))
    return [*blocks, Paragraph("What the plan promises and can't keep as it is written."), Table(columns, rows)]


def _named(place: tuple[str | int, ...]) -> str:
    return " › ".join(run.text for run in place_cell(place).runs)
