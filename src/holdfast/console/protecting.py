"""What is unprotected, in words: writes that are acknowledged though no other region has them, since when, by whose word.

Pure: the read model in, sentences out; none where everything is as it should be, or where the installation replicates asynchronously.
"""

from collections.abc import Mapping
from typing import Any

from holdfast.console.said import Said
from holdfast.report.wording import duration

State = Mapping[str, Any]

UNPROTECTED = "needs-person"
"""The state of a sentence about a component that is known to be unprotected: the first line says it."""


def protection(state: State, now: float) -> tuple[Said, ...]:
    """One sentence for each component that isn't known to be protected, or about which something was ordered without success."""
    components = state.get("protection", {}).get("components", ())
    return tuple(said for one in components if (said := _said(one, now)) is not None)


def _said(one: Mapping[str, Any], now: float) -> Said | None:
    order, where = one["ordered"], f"{one['title']} in {one['region']}"
    if order is not None and order["outcome"] is None:
        wish = "dropping its protection" if order["drops"] else "protecting it again"
        return Said("running", f"{where}: {wish}, ordered by {order['by']}, is under way")
    tried = ""
    if order is not None and order["outcome"] != "succeeded" and order["drops"] is not (one["protected"] is False):
        wish = "dropping its protection" if order["drops"] else "protecting it again"
        tried = f"; {wish}, as {order['by']} ordered, came to nothing known ({order['outcome']}: {order['detail']})"
    if one["protected"] is False:
        whose = _whose(order, now)
        return Said(UNPROTECTED, f"UNPROTECTED: {where} acknowledges writes that no other region has{whose}{tried}")
    if one["protected"] is None:
        return Said("unknown", f"whether {where} is protected is unknown{tried}")
    return Said("unknown", f"{where} is protected{tried}") if tried else None


def _whose(order: Mapping[str, Any] | None, now: float) -> str:
    if order is None or not order["drops"]:
        return ""
    return f"; {order['by']} dropped its protection {duration(max(now - order['since_seconds'], 0.0))} ago: {order['because']}"
