"""Many hand-overs as few lines: said together after a moment, nothing left out, failures never among what was sent."""

from holdfast.console.narrating import GATHER_SECONDS, Narrator
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, Record, following

START = 1000.0


def handed(kind: Kind, message: str, channel: str, recipient: str, after: float = 0.0) -> Record:
    body = {"key": f"inc-1/{message}/1", "message": message, "channel": channel, "recipient": recipient, "reason": "no answer"}
    return following((1, GENESIS), START + after, kind.value, "inc-1", body)


def test_one_message_to_many_is_one_line_and_only_after_a_moment() -> None:
    narrator, kind = Narrator(), Kind.NOTIFICATION_SENT
    people = ("exercise-one", "exercise:on-call", "exercise-two", "exercise-four")
    records = [handed(kind, "incident-alert", channel, who, 0.2) for channel in ("pagerduty", "slack") for who in people]
    assert list(narrator.told(records, START + 0.3)) == []
    (said,) = narrator.told([], START + 0.2 + GATHER_SECONDS)
    assert said.text == "told exercise-one, on-call, exercise-two and 1 more over pagerduty, slack: incident-alert"
    assert (said.state, said.at_seconds) == ("done", START + 0.2)
    assert list(narrator.told([], START + 60)) == list(narrator.rest()) == []


def test_what_failed_is_said_apart_and_everything_else_at_once() -> None:
    narrator = Narrator()
    opened = following((1, GENESIS), START, Kind.ACKNOWLEDGED, "inc-1", {"person": "a", "way": "link", "roles": [], "joins": False})
    sent = [handed(Kind.NOTIFICATION_SENT, f"vendor.{name}", "email", f"exercise:vendor.{name}") for name in ("one", "two")]
    failed = [handed(Kind.NOTIFICATION_FAILED, "call", "sms", who) for who in ("a", "b")]
    unknown = handed(Kind.NOTIFICATION_UNKNOWN, "call", "sms", "c")
    assert [line.text for line in narrator.told([opened, *sent, *failed, unknown], START)] == ["a has it (by link)"]
    assert [(line.state, line.text) for line in narrator.rest()] == [
        ("done", "told vendor.one, vendor.two over email: vendor"),
        ("failed", "could not tell a, b over sms: call, no answer"),
        ("unknown", "nobody knows whether c was told over sms: call, no answer"),
    ]
