"""GDPR: what it asks of a continuity plan, in Holdfast's own words; no substitute for the standard's text."""

from holdfast.checks.standards import clocks, evidence
from holdfast.checks.standards.requirement import Requirement, Standard, all_of

STANDARD = Standard(
    "gdpr",
    "GDPR",
    (
        Requirement(
            "5(1)(e)",
            "GDPR, Regulation (EU) 2016/679, article 5 (principles of processing)",
            "Personal data is kept no longer than needed",
            evidence.personal_data,
        ),
        Requirement(
            "32(1)(b)",
            "GDPR, Regulation (EU) 2016/679, article 32 (security of processing)",
            "Systems stay available and withstand trouble",
            all_of(evidence.second_region, evidence.strategies),
        ),
        Requirement(
            "32(1)(c)",
            "GDPR, Regulation (EU) 2016/679, article 32 (security of processing)",
            "Access to personal data is restored in time",
            all_of(evidence.backups, evidence.scenarios),
        ),
        Requirement(
            "32(1)(d)",
            "GDPR, Regulation (EU) 2016/679, article 32 (security of processing)",
            "That is tested regularly",
            evidence.exercises,
        ),
        Requirement(
            "33(1)",
            "GDPR, Regulation (EU) 2016/679, article 33 (notice to the supervisory authority)",
            "The authority hears of a breach within 72 hours of becoming aware, later only with reasons",
            evidence.authority_told(clocks.GDPR),
        ),
        Requirement(
            "33(5)",
            "GDPR, Regulation (EU) 2016/679, article 33 (notice to the supervisory authority)",
            "Breaches are documented",
            evidence.evidence_kept,
        ),
        Requirement(
            "34(1)",
            "GDPR, Regulation (EU) 2016/679, article 34 (notice to those concerned)",
            "Those concerned hear of a breach that puts them at high risk",
            evidence.outside_words,
        ),
        Requirement(
            "44",
            "GDPR, Regulation (EU) 2016/679, article 44 (transfers to third countries)",
            "Data leaves its area only where that is allowed",
            evidence.areas,
        ),
    ),
)
