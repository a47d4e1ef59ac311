"""Talking to a running controller over its HTTP API."""
