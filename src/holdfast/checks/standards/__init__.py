"""Standards as tables: what each asks of a plan. One standard a file; to add one, write the file and name it in `STANDARDS`."""

from holdfast.checks.standards import dora, gdpr, iso_22301, iso_27001, nist_800_34, pci_dss, soc_2
from holdfast.checks.standards.requirement import Answer, Coverage, Lack, Requirement, Standard, covered

__all__ = ["STANDARDS", "Answer", "Coverage", "Lack", "Requirement", "Standard", "covered"]

STANDARDS: dict[str, Standard] = {
    one.STANDARD.identifier: one.STANDARD for one in (iso_22301, nist_800_34, iso_27001, pci_dss, soc_2, gdpr, dora)
}
