"""The status page as text: HTML and JSON from the incidents that were published. Pure: no file, no clock.

The four states are `investigating`, `identified`, `monitoring`, `resolved`; a plan that has words of its own for them sees those on the
page, and the interface keeps the four, since programs read it.
"""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

PAGE = "holdfast"
STATES = ("investigating", "identified", "monitoring", "resolved")
IMPACTS = {"P1": "critical", "P2": "major", "P3": "minor", "P4": "none"}
DESCRIPTIONS = {
    "none": "All Systems Operational",
    "minor": "Minor Service Outage",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
_ORDER = ("none", "minor", "major", "critical")
_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1b2430;--quiet:#4f5b69;--done:#00695c;--failed:#b3261e;--line:#767f8a;--exercise:#6a3fb5}
@media (prefers-color-scheme:dark){:root{--ground:#0e1420;--ink:#e9edf2;--quiet:#a9b4c2;--done:#4cc9b0;--failed:#ff8a70;--line:#7d8896;
--exercise:#c4a7ff}}
body{background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:46rem;padding:1rem;
overflow-wrap:anywhere}
.done{color:var(--done)}.failed{color:var(--failed)}.exercise{color:var(--exercise);border:3px solid;padding:.5rem;font-weight:bold}
article{border-top:1px solid var(--line);padding:.5rem 0}time{color:var(--quiet)}p{white-space:pre-line}
a{color:inherit;display:inline-block;min-height:44px;line-height:44px}
@media print{body{background:#fff;color:#000}.done,.failed,.exercise,time{color:#000}}
"""


@dataclass(frozen=True, slots=True)
class Update:
    """One published text. `state` is one of STATES."""

    key: str
    at_seconds: float
    state: str
    subject: str
    body: str
    severity: str | None
    exercise: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as readers know it; `updates` oldest first, at least one."""

    identifier: str
    updates: Sequence[Update]

    @property
    def latest(self) -> Update:
        """What holds now."""
        return self.updates[-1]

    @property
    def resolved(self) -> bool:
        """Whether it is over."""
        return self.latest.state == "resolved"


def indicator(incidents: Sequence[Incident]) -> str:
    """The worst impact of what is open."""
    open_ones = [_impact(incident) for incident in incidents if not incident.resolved]
    return max(open_ones, key=_ORDER.index, default="none")


def interface(name: str, url: str, incidents: Sequence[Incident], at_seconds: float) -> Mapping[str, str]:
    """Path below `api/v2` → content, in the shape that Statuspage's readers know: open incidents only, but for `incidents.json`."""
    worst = indicator(incidents)
    page = {"id": PAGE, "name": name, "url": url, "time_zone": "Etc/UTC", "updated_at": stamp(at_seconds)}
    status = {"indicator": worst, "description": DESCRIPTIONS[worst]}
    every = [_incident(incident, url) for incident in reversed(incidents)]  # the newest first
    open_ones = [incident for incident in every if incident["resolved_at"] is None]
    made: dict[str, dict[str, Any]] = {
        "summary.json": {"page": page, "components": [], "incidents": open_ones, "scheduled_maintenances": [], "status": status},
        "status.json": {"page": page, "status": status},
        "incidents/unresolved.json": {"page": page, "incidents": open_ones},
        "incidents.json": {"page": page, "incidents": every},
    }
    return {path: json.dumps(content, ensure_ascii=False, indent=1) + "\n" for path, content in made.items()}


def index(name: str, incidents: Sequence[Incident], words: Mapping[str, str], at_seconds: float) -> str:
    """The page itself: one file, no script, nothing from outside."""
    open_ones = [incident for incident in reversed(incidents) if not incident.resolved]
    past = [incident for incident in reversed(incidents) if incident.resolved]
    exercise = any(incident.latest.exercise for incident in open_ones)
    mark, kind = ("✓", "done") if not open_ones else ("✕", "failed")
    headline = DESCRIPTIONS[indicator(incidents)] if open_ones else DESCRIPTIONS["none"]
    title = f"{'EXERCISE: ' if exercise else ''}{headline} · {name}"
    stripe = '<p class="exercise">EXERCISE: nothing real is wrong</p>' if exercise else ""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f'<header>{stripe}<h1>{html.escape(name)}</h1><p role="status" class="{kind}"><strong>{mark} {headline}</strong></p>',
        f"<p>As of {_time(at_seconds)}.</p></header><main>",
        "<h2>Now</h2>",
        *([_article(incident, words) for incident in open_ones] or ["<p>Nothing is open.</p>"]),
        "<h2>Past incidents</h2>",
        *([_article(incident, words) for incident in past] or ["<p>None is recorded.</p>"]),
        '</main><footer><a href="api/v2/summary.json">The same for programs</a></footer></body></html>\n',
    ]
    return "\n".join(parts)


def stamp(at_seconds: float) -> str:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(at_seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _article(incident: Incident, words: Mapping[str, str]) -> str:
    updates = "".join(
        f"<h4>{html.escape(words.get(update.state, update.state.capitalize()))} · {_time(update.at_seconds)}</h4>"
        f'<p dir="auto">{html.escape(update.body)}</p>'
        for update in reversed(incident.updates)
    )
    mark, kind = ("✓", "done") if incident.resolved else ("✕", "failed")
    headline = f'<h3 class="{kind}" dir="auto">{mark} {html.escape(incident.latest.subject)}</h3>'
    return f'<article id="{_anchor(incident)}">{headline}{updates}</article>'


def _anchor(incident: Incident) -> str:
    return quote(incident.identifier, safe="")


def _time(at_seconds: float) -> str:
    shown = datetime.fromtimestamp(at_seconds, UTC)
    return f'<time datetime="{stamp(at_seconds)}">{shown:%Y-%m-%d %H:%M} UTC</time>'


def _impact(incident: Incident) -> str:
    return IMPACTS.get(incident.latest.severity or "", "major")


def _incident(incident: Incident, url: str) -> dict[str, Any]:
    first, latest = incident.updates[0], incident.latest
    updates = [
        {
            "id": update.key,
            "incident_id": incident.identifier,
            "status": update.state,
            "body": update.body,
            "created_at": stamp(update.at_seconds),
            "display_at": stamp(update.at_seconds),
            "updated_at": stamp(update.at_seconds),
        }
        for update in reversed(incident.updates)
    ]
    return {
        "id": incident.identifier,
        "name": latest.subject,
        "status": latest.state,
        "impact": _impact(incident),
        "created_at": stamp(first.at_seconds),
        "updated_at": stamp(latest.at_seconds),
        "monitoring_at": next((stamp(update.at_seconds) for update in incident.updates if update.state == "monitoring"), None),
        "resolved_at": stamp(latest.at_seconds) if incident.resolved else None,
        "page_id": PAGE,
        "shortlink": f"{url.rstrip('/')}/#{_anchor(incident)}",
        "incident_updates": updates,
    }
