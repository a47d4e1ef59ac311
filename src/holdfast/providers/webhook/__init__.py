"""Signed webhooks that carry CloudEvents."""
