"""Slack: one living message an incident, its thread, and the incoming webhook as second way."""
