"""The far ends of the channels, as the lab plays them. They share no code with what sends.

`python -m holdfast.lab.receivers --directory D` starts all of them on free loopback ports, prints one line of JSON
(`{"ready": {"pagerduty": "http://127.0.0.1:…", "slack": …, "twilio": …, "webhook": …, "smtp": "127.0.0.1:…"}}`), and runs until a signal.
Each writes `D/<name>.jsonl`, a line for what arrived: `{"at_seconds", "path", "headers", "body"}` and what the vendor made of it (`alert`,
`sid`, `repeat`, `refused`: its own word for a no); `wrong` says why a request is none that the vendor's documents allow.

`D/<name>.behaviour`, read at every request, holds `ok` (or is absent), `hang`, `500`, `503`, `429`, `drop` (says yes and keeps nothing),
`reset` (breaks off before it takes anything) or `taken-and-reset` (takes it and breaks off); for mail also `no-such-user`, `greylist`,
`closing` (ends the connection between two mails) and `keep` (the last mail as it came, in `smtp.eml`). Who answers stands in
`D/slack.presses`, `D/pagerduty.presses` (lines `USER ACTION`) and `D/twilio.keys` (the digits), read when something arrives.
"""
