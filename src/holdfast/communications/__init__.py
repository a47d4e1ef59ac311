"""Pure: who is owed which message by when, and why. Never sends."""
