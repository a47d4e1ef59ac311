"""What is read of a Redis that is compared: each key once, however often SCAN names it."""

from typing import Any, cast

from holdfast.agent.redis_export import _keys


class Scanned:
    """A Redis whose table grows while it is walked: SCAN promises to name every key, and may name one twice."""

    answers = (["7", ["a", "b", "holdfast:writer"]], ["3", ["b", "c"]], ["0", ["a", "d", "d"]])

    def __init__(self) -> None:
        self.asked: list[str] = []

    def binary(self, commands: list[tuple[str, ...]], timeout_seconds: float) -> list[Any]:
        self.asked.append(commands[0][1])
        return [self.answers[len(self.asked) - 1]]


def test_a_key_that_scan_names_twice_is_compared_once() -> None:
    session = Scanned()
    assert list(_keys(cast(Any, session))) == [["a", "b"], ["c"], ["d"]]
    assert session.asked == ["0", "7", "3"]
