"""Proof from the outside: real transactions in the target region, and whether they hold the plan's numbers."""
