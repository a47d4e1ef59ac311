"""Pure: what a scenario is expected to take and cost. Step graphs, durations from ranges and from the journal, seeded draws.

Never here: judging a plan (see `checks`), or reading journals from disk.
"""
