"""DORA, articles 11, 12 and 19: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import clocks, evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "dora",
    "DORA, articles 11, 12 and 19",
    (
        Requirement("11(1)", "A policy for continuity of information technology", all_of(evidence.summary, evidence.approved)),
        Requirement(
            "11(2)",
            "Critical functions go on, and incidents are answered, contained, judged and told",
            all_of(evidence.impact, evidence.scenarios, evidence.costs, evidence.internal_words),
        ),
        Requirement("11(3)", "Response and recovery plans (their independent audit stands outside of a plan)", evidence.scenarios),
        Requirement("11(4)", "Continuity of what others provide", evidence.fallbacks),
        Requirement("11(5)", "A business impact analysis", all_of(evidence.impact, evidence.costs, evidence.dependencies)),
        Requirement(
            "11(6)",
            "Plans are reviewed, and tested once a year: attacks and switching to redundant capacity too",
            all_of(evidence.every_scenario_tested, evidence.breach, evidence.reviewed),
        ),
        Requirement(
            "11(7)",
            "A crisis function with clear roles and communication",
            all_of(evidence.roles, evidence.escalation, evidence.outside_words),
        ),
        Requirement("11(8)", "Records of what was done are kept at hand", evidence.evidence_kept),
        Requirement(
            "12(1)", "A policy for backups, and procedures to restore: what, and how often", all_of(evidence.backups, evidence.scenarios)
        ),
        Requirement("12(2)", "Backup and restore are tested", all_of(evidence.restores, evidence.backups_verified)),
        Requirement("12(3)", "Restores use systems apart from the source", evidence.backups_elsewhere),
        Requirement("12(4)", "Redundant capacity", all_of(evidence.second_region, evidence.capacity)),
        Requirement("12(6)", "RTO and RPO for each function", all_of(evidence.impact, evidence.objectives)),
        Requirement("12(7)", "What is recovered is checked", evidence.proved),
        Requirement("19(4)", "The authority hears of a major incident within a day", evidence.authority_told(clocks.DORA)),
    ),
)
