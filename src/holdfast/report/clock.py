"""How a function's clock stands against its promise: in time, at risk, or over. The same rule for the live view and for the report."""

from holdfast.report.wording import duration

AT_RISK_SHARE = 0.6
"""Share of the promised time after which a clock is *at risk*."""


def verdict(out_seconds: float, target_seconds: float, *, back: bool, expected_seconds: float | None) -> tuple[str, str]:
    """(words, state). `out_seconds`: how long it is out, or was when it is `back`; `expected_seconds`: how long it will have been by the
    forecast, None without one."""
    if out_seconds > target_seconds:
        return f"over by {duration(out_seconds - target_seconds)}", "failed"
    if back:
        return "in time", "done"
    if expected_seconds is not None and expected_seconds > target_seconds:
        return "at risk", "needs-person"
    return ("at risk", "needs-person") if out_seconds >= AT_RISK_SHARE * target_seconds else ("in time", "running")
