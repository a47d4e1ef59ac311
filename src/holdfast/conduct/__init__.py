"""Pure: how an incident is conducted. Everything known now → the next moves, each with its reason.

The one place where decision, runbook and communications meet; the controller only carries the moves out.
"""
