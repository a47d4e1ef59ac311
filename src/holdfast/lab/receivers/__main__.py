"""Run all receivers in one process; the package says how it is told and read."""

import argparse
import json
import signal
from pathlib import Path

from holdfast.lab.receivers.mail import MailSink
from holdfast.lab.receivers.pagerduty import PagerDuty
from holdfast.lab.receivers.slack import Slack
from holdfast.lab.receivers.twilio import Twilio
from holdfast.lab.receivers.web import Receiver
from holdfast.lab.receivers.webhook import webhook

parser = argparse.ArgumentParser(prog="python -m holdfast.lab.receivers", description="The far ends of the channels.")
parser.add_argument("--directory", type=Path, required=True)
parser.add_argument("--account", default="AC00000000000000000000000000000000")
parser.add_argument("--token", default="lab-telephone-token")
parser.add_argument("--key", default="lab-webhook-key", help="what webhooks are signed with")
given = parser.parse_args()
given.directory.mkdir(parents=True, exist_ok=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
web = [
    Receiver("pagerduty", given.directory, PagerDuty().answer),
    Receiver("slack", given.directory, Slack().answer),
    Receiver("twilio", given.directory, Twilio(given.account, given.token, given.directory).answer),
    Receiver("webhook", given.directory, webhook(given.key.encode())),
]
mail = MailSink(given.directory)
print(json.dumps({"ready": {**{one.name: one.url for one in web}, "smtp": f"127.0.0.1:{mail.port}"}}), flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
