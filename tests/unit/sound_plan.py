"""The reference plan with every contradiction taken out, and ways to put one mistake back: `holdfast check` says nothing of it at all."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from holdfast.plan.loader import LoadedPlan, load_bytes
from holdfast.plan.problems import Place
from unit.plan_texts import TEXT, loaded

TODAY = date(2026, 11, 28)
REMOVED = object()
"""As the value of a change: the key, or the item of a list, is taken out."""

Changes = Mapping[str, Any]
"""Place → value, as the plan writes both: `functions.voice.rto` → `10m`. Items of lists by their number."""

_RESTORED = {"restored_every": "monthly", "last_restored": "2026-11-20"}
_LOG = {"name": "Archived log", "every": "0s", "regions": ["eu-central-1"], **_RESTORED}
_APPROVE = {"id": "approve", "block": "approve", "after": ["assess"]}
_SOUND: dict[str, Any] = {
    # reviewed and approved in time
    "document.last_updated": "2026-10-05",
    "document.next_review": "2027-01-04",
    "document.approvals.0.on": "2026-10-06",
    "document.approvals.1.on": "2026-10-06",
    # promises that what stands below them keeps
    "functions.voice.rto": "30m",
    "functions.authentication.rto": "30m",
    **{f"functions.{name}.rpo": "5m" for name in ("pms", "analytics", "configuration")},
    "service_levels.enterprise.availability_percent": 99.9,
    "components.cache.rto": "15m",
    "components.cache.rpo": "5m",
    "components.storage.rpo": "5m",
    # copies, backups and their proof
    "components.database.backups": {"log": _LOG},
    "components.cache.backups": {"log": _LOG},
    "components.storage.backups": {"log": _LOG},
    # others, places and capacity
    **{f"dependencies.{name}.availability_percent": 99.9 for name in ("opera", "cloudbeds", "siteminder")},
    **{f"dependencies.{name}.area": "EU" for name in ("edge", "speech-synthesis", "apaleo", "mews", "opera", "cloudbeds", "siteminder")},
    "dependencies.media.regions": ["eu-west-1", "eu-central-1"],
    "dependencies.speech-recognition.regions": ["eu-west-1", "eu-central-1"],
    "regions.eu-central-1.node_groups.gpu": {"usual": 3, "largest": 3},
    # people
    "people.matteo-ricci.phone": "+353 20 912 0142",
    "approval.activation.answer_within": "5m",
    **{f"escalation.{severity}.also_called": [] for severity in ("P1", "P2", "P3", "P4")},
    **{f"escalation.{severity}.answer_within": "15m" for severity in ("P1", "P3", "P4")},
    "messages.partners.due": "30m",
    # people's scenarios, as short as the plan promises, asked for, and led back
    "scenarios.database-corruption.rollback": ["Go back to the database that was set aside"],
    "scenarios.database-corruption.phases.0.steps.5": _APPROVE,
    "scenarios.database-corruption.phases.2.window": ["15m", "25m"],
    "scenarios.database-corruption.phases.3.window": ["25m", "30m"],
    "scenarios.security-breach.rollback": ["Give back what was cut off without need"],
    "scenarios.security-breach.phases.0.steps.5": _APPROVE,
    "scenarios.security-breach.phases.1.window": ["10m", "15m"],
    "scenarios.security-breach.phases.1.steps.1.by": "database-administrator",
    "scenarios.security-breach.phases.1.steps.2.by": "platform-lead",
    "scenarios.security-breach.phases.2.window": ["15m", "25m"],
    "scenarios.security-breach.phases.3.window": ["25m", "30m"],
    # exercises and figures
    "questions": [],
    "exercises.tabletop.every": "half-yearly",
    "exercises.corruption": {"name": "Corruption", "kind": "tabletop", "scenario": "database-corruption", "every": "half-yearly"},
    "exercises.breach": {"name": "Breach", "kind": "tabletop", "scenario": "security-breach", "every": "half-yearly"},
    "indicators.backup-success.target": ">= 100%",
}


def place_of(dotted: str) -> Place:
    """A place as findings have it, from how a person writes it."""
    return tuple(int(key) if key.isdigit() else key for key in dotted.split("."))


def with_mistake(changes: Changes) -> LoadedPlan:
    """The sound plan with these changes, loaded as a plan's file is."""
    return load_bytes(sound_text(changes).encode(), Path("plan.yaml"))


def sound_text(changes: Changes) -> str:
    """The text of its file: JSON, which is YAML too."""
    data = deepcopy(_DATA)
    for dotted, value in changes.items():
        _put(data, place_of(dotted), value)
    return json.dumps(data, indent=1)


def _put(data: Any, place: Place, value: Any) -> None:
    for key in place[:-1]:
        data = data[key]
    last = place[-1]
    if value is REMOVED:
        del data[last]
    elif isinstance(data, list) and last == len(data):
        data.append(value)
    else:
        data[last] = value


def _sound_data() -> Any:
    data = deepcopy(loaded(TEXT).tree)
    for dotted, value in _SOUND.items():
        _put(data, place_of(dotted), deepcopy(value))
    for scenario in ("database-corruption", "security-breach"):  # their windows are shorter here, and people's times are not
        for step in (step for phase in data["scenarios"][scenario]["phases"] for step in phase["steps"]):
            step.pop("takes", None)
    return data


_DATA = _sound_data()
