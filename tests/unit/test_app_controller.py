"""Wiring a controller: what it refuses to start with, and what must not end it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from holdfast.app_controller import _narrate, _secret
from holdfast.journal.kinds import Kind
from holdfast.journal.record import GENESIS, following
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
