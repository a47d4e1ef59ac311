"""How fast the production controller tells many people: its own loop, its journal on disk, the channels as bindings wire them.

The reference plan with a directory of customers (mails; a CSV file beside it) and partners with addresses of their own (signed webhooks):
one recipient in ten is a partner. An incident is declared, which owes both messages at once; the far ends run in a process of their own
and check what they get. While the mailing lasts nobody answers, so the plan calls people, the incident commander among them, again and
again over the very relay that the mailing goes over (here the matrix asks for an answer within two seconds). How long each call waited,
from the record that it is owed to the record that it was handed over, is what priority is worth. Seconds count from the first intent of
the mailing to the record of its last hand-over: before that the plan's rule leaves ten seconds to whoever decides (docs/messages.md).

Run: python -m bench.mailing [COUNT ...]. Exit code 1 when 10,000 take more than 60 s, one is lost or told twice, or a call waits a second.
"""

import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.messages import KEY, SENDER, far_ends

from holdfast.app_controller import Assembled, assemble
from holdfast.conduct.situation import Command
from holdfast.journal.kinds import Kind
from holdfast.journal.record import Record
from holdfast.plan.bindings import Bindings
from holdfast.plan.loader import LoadedPlan, load
from holdfast.plan.model import Plan
from holdfast.plan.organisation import Audience

PLAN, SCENARIO = Path("examples/voicehive/plan.yaml"), "regional-outage"
COUNTS = (100, 1_000, 10_000)
AIM, AIM_SECONDS, CALL_SECONDS = 10_000, 60.0, 1.0
PARTNERS_SHARE = 10
ANSWER_WITHIN_SECONDS = 2.0
LONGEST_SECONDS = 300.0
MAILINGS = ("customers", "partners")


@dataclass(frozen=True)
class Measured:
    """One run. Seconds by the wall; `own_seconds`: of this process's processor; `calls`: how long each call waited while the mailing
    lasted; `lost` and `twice`: recipients that the far ends never saw, and saw more than once; `batches`: moments at which the journal
    was written with outcomes of the mailing."""

    seconds: float
    own_seconds: float
    calls: tuple[float, ...]
    lost: int
    twice: int
    batches: int
    records: int


def planned(count: int, directory: Path, webhook: str) -> LoadedPlan:
    """The reference plan with so many recipients, whose customers and partners are owed their messages at once."""
    loaded, partners = load(PLAN), count // PARTNERS_SHARE
    rows = [f"c{number},Customer {number},c{number}@example.org" for number in range(count - partners)]
    (directory / "customers.csv").write_text("\n".join(["id,name,email", *rows]) + "\n")
    circles = {f"partner-{number}": Audience(name=f"Partner {number}", address=f"{webhook}/{number}") for number in range(partners)}
    messages = dict(loaded.plan.messages)
    told = {"customers": (("customers",), ("email",)), "partners": (tuple(circles), ("webhook",))}
    for name, (audience, channels) in told.items():
        changed = {"audience": audience, "channels": channels, "lasting": 0.0, "functions": (), "severities": (), "due": 1800.0}
        messages[name] = messages[name].model_copy(update=changed)
    matrix = {
        severity: row.model_copy(update={"answer_within": ANSWER_WITHIN_SECONDS, "channels": ("email",)})
        for severity, row in loaded.plan.escalation.items()
    }
    audiences = {**loaded.plan.audiences, "customers": Audience(name="Customers", source="customers.csv"), **circles}
    grave = loaded.plan.scenarios[SCENARIO].model_copy(update={"severity": "P1"})  # no observer is there to see what is hit
    changes = {"audiences": audiences, "messages": messages, "escalation": matrix, "scenarios": {**loaded.plan.scenarios, SCENARIO: grave}}
    return replace(loaded, plan=loaded.plan.model_copy(update=changes), path=directory / "plan.yaml")


def bound(directory: Path, ends: dict[str, str], plan: Plan) -> Bindings:
    """A witness whose mail goes to the relay and whose webhooks are signed; no region answers it, and none has to."""
    for name, content in {
        "token": secrets.token_hex(16),
        "lease.key": secrets.token_hex(16),
        "dns.key": "a2V5",
        "hook": KEY,
        "url": ends["webhook"],
    }.items():
        (directory / name).write_text(content)
    relay = {"kind": "smtp", "host": "127.0.0.1", "port": int(ends["smtp"].rpartition(":")[2]), "sender": SENDER, "starttls": False}
    receiver = {"kind": "webhook", "url": {"file": str(directory / "url")}, "key": {"file": str(directory / "hook")}}
    dns = {
        "kind": "dns",
        "host": "127.0.0.1",
        "port": 9,
        "zone": "example.org",
        "key_name": "k",
        "key_secret_file": str(directory / "dns.key"),
    }
    dns |= {"ttl_seconds": 1, "entries": dict.fromkeys(plan.regions, "127.0.0.1")}
    given: dict[str, Any] = {
        "environment": "bench",
        "site": "witness",
        "resolver_host": "127.0.0.1",
        "resolver_port": 9,
        "controller": {
            "url": "http://127.0.0.1:9",
            "host": "127.0.0.1",
            "port": 9,
            "token_file": directory / "token",
            "lease_key_file": directory / "lease.key",
        },
        "agents": {},
        "components": {"names": dict.fromkeys(plan.regions, dns)},
        "functions": {},
        "observers": {},
        "channels": {"email": {"first": relay}, "webhook": {"first": receiver}},
        "state_directory": directory / "state",
    }
    return Bindings.model_validate(given)


async def mailed(assembled: Assembled, plan: Plan, count: int) -> tuple[list[Record], float]:
    """Declare an incident, and wait until the journal knows every hand-over: the incident's records, and the processor's seconds."""
    controller = assembled.controller
    controller.begin_term((0, 1, plan.primary_region()), installation="bench")
    tasks = [asyncio.create_task(assembled.audiences.run()), asyncio.create_task(controller.run())]
    try:
        while not controller.directory().audiences.get("customers"):  # noqa: ASYNC110 - nothing tells when a directory was read
            await asyncio.sleep(0.05)
        said = controller.submit(Command("bench-1", "declare", plan.roles["incident-commander"].primary, {}))
        assert said.startswith("accepted"), said
        own, ends, sent, seen = time.process_time(), time.monotonic() + LONGEST_SECONDS, 0, 0
        while sent < count and time.monotonic() < ends:
            await asyncio.sleep(0.1)
            for task in tasks:
                if task.done():
                    task.result()
            incident = controller.chronicle.installation.open_incident()
            records = () if incident is None else incident.records
            sent += sum(one.kind == Kind.NOTIFICATION_SENT and one.body["message"] in MAILINGS for one in records[seen:])
            seen = len(records)
        return list(records), time.process_time() - own
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await assembled.channels.close()
        assembled.journal.close()


def measured(records: Sequence[Record], own_seconds: float, count: int, arrived: Path) -> Measured:
    """What the journal and the far ends say of one run."""
    mailing = [record for record in records if record.body.get("message") in MAILINGS]
    sent = [record for record in mailing if record.kind == Kind.NOTIFICATION_SENT]
    begun = min(record.at_seconds for record in mailing if record.kind == Kind.NOTIFICATION_INTENDED)
    over = max((record.at_seconds for record in sent), default=float("inf"))
    called = {record.body["key"]: record.at_seconds for record in records if record.kind == Kind.ESCALATED}
    calls = [
        record.at_seconds - called[record.body["key"]]
        for record in records
        if record.kind == Kind.NOTIFICATION_SENT
        and begun < called.get(record.body["key"], 0.0) < over
        and record.body["channel"] == "email"
    ]
    seen = Counter(_arrived(arrived))
    return Measured(
        seconds=over - begun,
        own_seconds=own_seconds,
        calls=tuple(calls),
        lost=count - len(seen),
        twice=sum(times > 1 for times in seen.values()),
        batches=len({record.at_seconds for record in sent}),
        records=len(records),
    )


def _arrived(arrived: Path) -> list[str]:
    """Whom the far ends saw something of the mailing for."""
    mails = (json.loads(row) for row in (arrived / "smtp.jsonl").read_text().splitlines())
    hooks = (json.loads(row) for row in (arrived / "webhook.jsonl").read_text().splitlines())
    people = [row["to"][0] for row in mails if row["to"][0].startswith("c") and row["to"][0].endswith("@example.org")]
    return people + [row["path"] for row in hooks if row["path"] != "/"]


def main() -> int:
    counts = tuple(int(count) for count in sys.argv[1:]) or COUNTS
    print("recipients    seconds   a second   own s   records   batches   calls meanwhile   the slowest call   times as long", flush=True)
    missed, before = False, None
    for count in counts:
        with tempfile.TemporaryDirectory() as place, far_ends(Path(place)) as ends:
            directory = Path(place)
            loaded = planned(count, directory, ends["webhook"])
            assembled = assemble(loaded, bound(directory, ends, loaded.plan), scenario=SCENARIO, profile="default", exercise=None)
            records, own = asyncio.run(mailed(assembled, loaded.plan, count))
            found = measured(records, own, count, directory / "arrived")
        slowest = max(found.calls, default=None)
        longer = "" if before is None else f"{found.seconds / before[1]:.1f} for {count / before[0]:.0f}"
        print(
            f"{count:10,}{found.seconds:11.2f}{count / found.seconds:11.0f}{found.own_seconds:8.1f}{found.records:10,}{found.batches:10,}"
            f"{len(found.calls):18}{'none' if slowest is None else f'{1000 * slowest:.0f} ms':>19}{longer:>16}"
            + (f"  {found.lost} LOST" if found.lost else "")
            + (f"  {found.twice} TWICE" if found.twice else ""),
            flush=True,
        )
        before = (count, found.seconds)
        late = count == AIM and found.seconds > AIM_SECONDS
        unproved = count == AIM if slowest is None else slowest > CALL_SECONDS
        missed = missed or late or found.lost > 0 or found.twice > 0 or unproved
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
