"""What a channel's own answer says about arrival, by the kind of way that the message went.

A way that isn't named here says nothing (a mail relay's 250 means that it took the mail and no more), or says it later and by itself (the
telephone service). Arrived is not acknowledged.
"""

from collections.abc import Mapping

AT_ONCE: Mapping[str, str] = {
    "pagerduty": "PagerDuty accepted it",
    "slack": "it stands in Slack",
    "webhook": "the receiver took it",
    "status-page": "it is published",
    "in-app": "it stands in the feed",
}
"""Kind of way → how its answer is called, where that answer is the receipt."""
LATER = frozenset({"sms", "voice"})
"""Kinds of ways whose receipts come back by themselves."""
