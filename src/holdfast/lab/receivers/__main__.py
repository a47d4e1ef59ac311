"""Run all receivers in one process; the package says how it is told and read."""

import argparse
import json
import signal
from pathlib import Path

from holdfast.lab.receivers.mail import MailSink
from holdfast.lab.receivers.pagerduty import PagerDuty, Subscription
from holdfast.lab.receivers.slack import Interactivity, Slack
from holdfast.lab.receivers.twilio import Twilio
from holdfast.lab.receivers.web import Receiver
from holdfast.lab.receivers.webhook import webhook

ENDS_SECONDS = 5.0
"""They end with the process, so nothing has to look whether they should."""

parser = argparse.ArgumentParser(prog="python -m holdfast.lab.receivers", description="The far ends of the channels.")
parser.add_argument("--directory", type=Path, required=True)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", action="append", default=[], metavar="NAME=PORT", help="a free port where none is named")
parser.add_argument("--account", default="AC00000000000000000000000000000000")
parser.add_argument("--token", default="lab-telephone-token")
parser.add_argument("--token-file", type=Path)
parser.add_argument("--key", default="lab-webhook-key", help="what webhooks are signed with")
parser.add_argument("--key-file", type=Path)
parser.add_argument("--doors", default="", metavar="URL", help="where buttons and acknowledgements go; nowhere when absent")
parser.add_argument("--chat-signing-file", type=Path, help="what Slack signs with")
parser.add_argument("--pages-signing-file", type=Path, help="what PagerDuty signs with")
given = parser.parse_args()
token = given.token if given.token_file is None else given.token_file.read_text(encoding="utf-8").strip()
key = given.key if given.key_file is None else given.key_file.read_text(encoding="utf-8").strip()
interactivity, subscription = None, None
if given.doors and given.chat_signing_file is not None:
    interactivity = Interactivity(f"{given.doors}/in/slack", given.chat_signing_file.read_text(encoding="utf-8").strip(), given.directory)
if given.doors and given.pages_signing_file is not None:
    subscription = Subscription(f"{given.doors}/in/pagerduty", given.pages_signing_file.read_bytes().strip(), given.directory)
ports = {name: int(port) for name, _, port in (one.partition("=") for one in given.port)}
given.directory.mkdir(parents=True, exist_ok=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
answers = {
    "pagerduty": PagerDuty(subscription).answer,
    "slack": Slack(interactivity).answer,
    "slack-second": Slack().answer,
    "twilio": Twilio(given.account, token, given.directory).answer,
    "twilio-second": Twilio(given.account, token).answer,
    "webhook": webhook(key.encode()),
    "webhook-second": webhook(key.encode()),
}
web = [Receiver(name, given.directory, answer, given.host, ports.get(name, 0), ENDS_SECONDS) for name, answer in answers.items()]
mail = [MailSink(given.directory, name=name, host=given.host, port=ports.get(name, 0)) for name in ("smtp", "smtp-second")]
places = {**{one.name: one.url for one in web}, **{one.name: f"{given.host}:{one.port}" for one in mail}}
print(json.dumps({"ready": places}), flush=True)
print("receivers: ready", flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
