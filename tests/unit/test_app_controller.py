"""Wiring a controller: what it refuses to start with, and what must not end it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from bench.mailing import PLAN, SCENARIO, bound

from holdfast.app_controller import _narrate, _secret, assemble
from holdfast.conduct.pagers import Pager
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, following
from holdfast.plan.channel_bindings import ChannelBinding
from holdfast.plan.loader import load
from holdfast.providers.clock.system import SystemClock


@pytest.mark.parametrize("content", [b"", b"\n", b"short"])
def test_a_key_that_anybody_could_guess_is_refused_with_its_place(content: bytes, tmp_path: Path) -> None:
    key = tmp_path / "lease.key"
    key.write_bytes(content)
    with pytest.raises(OSError, match=r"lease\.key holds \d bytes"):
        _secret(key)


def test_a_closed_terminal_does_not_end_the_telling() -> None:
    class Journal:
        def read(self, after: int = 0) -> Any:
            body = {"region": "eu-west-1", "trigger": "network-lost", "reason": ""}
            yield following((after, GENESIS), 1.0, Kind.SUSPICION_CLEARED, "", body)

    told = []

    def closed(said: Any) -> None:
        told.append(said)
        raise BrokenPipeError

    async def story() -> None:
        telling = asyncio.create_task(_narrate(Journal(), closed, SystemClock(), 0))  # type: ignore[arg-type]  # it only reads
        await asyncio.sleep(0.25)
        assert not telling.done()
        telling.cancel()

    asyncio.run(story())
    assert len(told) > 1


def test_a_controller_knows_which_ways_of_its_channels_are_pagers(tmp_path: Path) -> None:
    loaded = load(PLAN)
    bindings = bound(tmp_path, {"smtp": "127.0.0.1:9", "webhook": "http://127.0.0.1:9"}, loaded.plan)
    pager = {"kind": "pagerduty", "routing_key": {"file": str(tmp_path / "hook")}}
    voice = {"kind": "voice", "account": "AC1", "token": {"file": str(tmp_path / "hook")}, "sender": "+491"}
    written = {"phone": {"first": pager, "second": voice}, "sms": {"first": voice, "second": pager}, "slack": {"first": voice}}
    channels = {name: ChannelBinding.model_validate(channel) for name, channel in written.items()}
    bindings = bindings.model_copy(update={"channels": {**bindings.channels, **channels}})
    assembled = assemble(loaded, bindings, scenario=SCENARIO, profile="default", exercise=None)
    try:
        assert assembled.controller.situation().pagers == {Pager("phone"), Pager("sms", second_way=True)}
    finally:
        assembled.journal.close()
