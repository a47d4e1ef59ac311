"""The runs of an incident, by name: there, reprotection, and the way back."""

FAILOVER = "failover"
"""The scenario's phases, also when the move is a planned one."""
REPROTECT = "reprotect"
WAY_BACK = "way-back"
