"""The far ends of the channels, as the lab plays them. They share no code with what sends.

`python -m holdfast.lab.receivers --directory D` starts all of them on free loopback ports, prints one line of JSON
(`{"ready": {"pagerduty": "http://127.0.0.1:…", "slack": …, "twilio": …, "webhook": …, "smtp": "127.0.0.1:…"}}`), and runs until a signal.
Each writes `D/<name>.jsonl`, a line for what arrived: `{"at_seconds", "path", "headers", "body"}`, or `{"at_seconds", "wrong"}` for a
request that its check refused. `D/<name>.behaviour`, read at every request, holds `ok` (or is absent), `hang`, `500`, `429`, or `drop`
(says yes and keeps nothing).
"""
