"""How far the copies of buckets are behind, in words: what waits to be copied, since when, and when that was counted.

Pure: the read model in, what is said out. A count is told with its age; without one the backlog is *unknown*, never none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.console.said import Said
from holdfast.report.wording import count, duration

LATE_SECONDS = 30.0
"""An object that waits longer is worth a look; so is a count that is older."""
_THOUSAND = 1000.0


def size(size_bytes: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < _THOUSAND:
            return f"{size_bytes:.0f} {unit}" if unit == "B" or size_bytes >= 10 else f"{size_bytes:.1f} {unit}"
        size_bytes /= _THOUSAND
    return f"{size_bytes:.1f} TB"


def waiting(backlog: Mapping[str, Any]) -> str:
    """What waits, in short."""
    if not backlog["objects"]:
        return "nothing waits"
    what = f"{count(backlog['objects'], 'object')} ({size(backlog['size_bytes'])})"
    return f"{what} {'waits' if backlog['objects'] == 1 else 'wait'}, the oldest for {duration(backlog['oldest_seconds'])}"


def copies(state: Mapping[str, Any]) -> Iterator[Said]:
    """One line for each bucket that is copied."""
    titles = {(side["region"], thing["name"]): thing for side in state["sides"] for thing in side["things"] if thing["subject"] == "bucket"}
    for link in state["links"]:
        thing = titles.get((link["to"], link["component"]))
        if thing is not None:
            said = _copy(link)
            yield Said(said.state, f"{thing['title']} {link['from']} → {link['to']}: {said.text}")


def _copy(link: Mapping[str, Any]) -> Said:
    if link["follows"] is None:
        return Said("unknown", "whether it is copied is unknown")
    if not link["follows"]:
        return Said("failed", "not copied")
    lag, backlog = link["lag_seconds"], link.get("backlog")
    behind = "lag unknown" if lag is None else f"{duration(lag)} behind"
    if backlog is None:
        return Said("unknown", f"{behind}; what waits to be copied was not counted yet")
    late = lag is None or max(backlog["oldest_seconds"], backlog["age_seconds"], lag) > LATE_SECONDS
    return Said("unknown" if late else "done", f"{behind}, {waiting(backlog)} (counted {duration(backlog['age_seconds'])} ago)")
