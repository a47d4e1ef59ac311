"""Alerts through the PagerDuty Events API v2."""
