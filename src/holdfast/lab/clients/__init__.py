"""VoiceHive's clients: one per function, always on, found through DNS, each with a ledger of what was acknowledged to it.

    python -m holdfast.lab.clients --bindings bindings.outside.json --ledgers DIR
        [--functions voice,pms] [--rate voice=15]... [--timeout 1.0] [--needs-version 2] [--status FILE] [--for SECONDS]

Requests arrive at a steady rate whatever the system does: a slow or cut region does not slow them. Each function's ledger is
`DIR/<function>.jsonl`. The status file (default `DIR/status.json`), replaced every second, holds what the last second brought:

    {"at_seconds": 0.0, "functions": {"voice": {"rate": 15.0, "acknowledged": 15, "refused": 0, "unknown": 0, "outstanding": 0,
     "p95_seconds": 0.031, "address": "127.1.51.13", "region": "eu-west-1", "version": "2", "last_error": "",
     "total": {"acknowledged": 900, "refused": 0, "unknown": 0}}}}

SIGTERM or SIGINT ends it: nothing new is sent, what is outstanding gets its answer or its time-out, and the ledgers are closed.
The client itself is `holdfast.canary.client`, the same that `holdfast canary` runs against production.
"""
