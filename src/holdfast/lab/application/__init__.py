"""VoiceHive's five functions as small real services over PostgreSQL, Redis and a bucket.

Each takes `POST <path>` with a JSON object; only `request` (the caller's own unique id) must be there, so one body fits all:

    {"request": "01J…", "needs_version": "2"}

An instance older than `needs_version` answers 400 and does nothing. Answers:

    200  {"request", "function", "version", "instance", "region", "stores": {store: {"key", "region", "epoch", "written_seconds"}}}
    400  the request cannot be understood; 404 no such path
    503  {"error", "outcome": "refused"}: a store, a partner or the instance itself said no; nothing is acknowledged
    504  {"error", "outcome": "unknown"}: no answer from a store in time, so it may or may not have happened

`GET /healthz` is 200 once settings are loaded, `GET /version` says version, region, settings digest and the addresses in use.
The request id is the key of everything that is stored, so a ledger can be held against the stores afterwards.
"""
