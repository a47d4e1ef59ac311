"""DORA, articles 11, 12 and 17 to 19: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import clocks, evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

_RECOVERY = "DORA, Regulation (EU) 2022/2554, article 11 (response and recovery)"
_BACKUP = "DORA, Regulation (EU) 2022/2554, article 12 (backup, restoration and recovery)"
_REPORTS = "DORA, Regulation (EU) 2022/2554, article 19 (reporting of major incidents)"
STANDARD = Standard(
    "dora",
    "DORA, articles 11, 12 and 17 to 19",
    (
        Requirement(
            "11(1)",
            _RECOVERY,
            "A policy for continuity of information technology",
            all_of(evidence.summary, evidence.approved),
        ),
        Requirement(
            "11(2)",
            _RECOVERY,
            "Critical functions go on, and incidents are answered, contained, judged and told",
            all_of(evidence.impact, evidence.scenarios, evidence.costs, evidence.internal_words),
        ),
        Requirement(
            "11(3)",
            _RECOVERY,
            "Response and recovery plans (their independent audit stands outside of a plan)",
            evidence.scenarios,
        ),
        Requirement(
            "11(4)",
            _RECOVERY,
            "Continuity of what others provide",
            evidence.fallbacks,
        ),
        Requirement(
            "11(5)",
            _RECOVERY,
            "A business impact analysis",
            all_of(evidence.impact, evidence.costs, evidence.dependencies),
        ),
        Requirement(
            "11(6)",
            _RECOVERY,
            "Plans are reviewed, and tested once a year and after large changes: attacks and switching to redundant capacity too",
            all_of(evidence.every_scenario_tested, evidence.breach, evidence.reviewed),
        ),
        Requirement(
            "11(7)",
            _RECOVERY,
            "A crisis function with clear roles and communication",
            all_of(evidence.roles, evidence.escalation, evidence.outside_words),
        ),
        Requirement(
            "11(8)",
            _RECOVERY,
            "Records of what was done are kept at hand",
            evidence.evidence_kept,
        ),
        Requirement(
            "12(1)",
            _BACKUP,
            "A policy for backups, and procedures to restore: what, and how often",
            all_of(evidence.backups, evidence.scenarios),
        ),
        Requirement(
            "12(2)",
            _BACKUP,
            "Backup and restore are tested",
            all_of(evidence.restores, evidence.backups_verified),
        ),
        Requirement(
            "12(3)",
            _BACKUP,
            "Restores use systems apart from the source",
            evidence.backups_elsewhere,
        ),
        Requirement(
            "12(4)",
            _BACKUP,
            "Redundant capacity",
            all_of(evidence.second_region, evidence.capacity),
        ),
        Requirement(
            "12(6)",
            _BACKUP,
            "RTO and RPO for each function",
            all_of(evidence.impact, evidence.objectives),
        ),
        Requirement(
            "12(7)",
            _BACKUP,
            "What is recovered is checked",
            evidence.proved,
        ),
        Requirement(
            "17(3)",
            "DORA, Regulation (EU) 2022/2554, article 17 (incident management process)",
            "Incidents are noticed early, recorded, and met with roles, communication plans and procedures",
            all_of(evidence.monitoring, evidence.roles, evidence.internal_words, evidence.outside_words, evidence.scenarios),
        ),
        Requirement(
            "18(1)",
            "DORA, Regulation (EU) 2022/2554, article 18 (classification of incidents)",
            "Incidents are classified by whom and what they hit, how long and at what cost",
            all_of(evidence.escalation, evidence.costs),
        ),
        Requirement(
            "19(4)(a)",
            _REPORTS,
            "The authority hears of a major incident within four hours of its classification, and a day of becoming aware",
            evidence.authority_told(clocks.DORA),
        ),
        Requirement(
            "19(4)(b)",
            _REPORTS,
            "An intermediate report within 72 hours of the first notice",
            evidence.authority_told(clocks.DORA_INTERMEDIATE),
        ),
        Requirement(
            "19(4)(c)",
            _REPORTS,
            "A final report within a month of the intermediate one",
            evidence.authority_told(clocks.DORA_FINAL),
        ),
    ),
)
