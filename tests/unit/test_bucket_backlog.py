"""How far a bucket's copy is behind: from two lists to the words that people read."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.console.copying import copies, size
from holdfast.health.history import History, absorb
from holdfast.health.observation import Observation, Seen, Subject
from holdfast.health.picture import picture
from holdfast.health.standing import Backlog, standings
from holdfast.providers.s3.backlog import compare
from holdfast.providers.s3.bucket import Entry
from unit.health_world import DR as CENTRAL
from unit.health_world import OBSERVERS, PLAN, START
from unit.health_world import PRIMARY as WEST

KEYS = st.sampled_from([f"recordings/{number}" for number in range(6)] + ["holdfast/writer.json", "holdfast/marker/west"])
LISTS = st.dictionaries(KEYS, st.builds(Entry, st.sampled_from(["a", "b", "a-2"]), st.integers(0, 9), st.floats(0, 100)))


@given(written=LISTS, copy=LISTS)
def test_what_is_alike_on_both_sides_never_counts_and_everything_else_of_the_application_does(
    written: dict[str, Entry], copy: dict[str, Entry]
) -> None:
    found = compare(written, copy, 100.0)
    lacking = [key for key in written if key.startswith("recordings/") and copy.get(key) != written[key]]
    missing = [key for key in lacking if key not in copy]
    assert len(missing) <= found.objects <= len(lacking)
    assert (found.oldest_seconds is None) == (found.objects == 0)
    assert found.complete_until_seconds <= 99.0, "a list's times are whole seconds"
    assert all(written[key].modified_seconds >= found.complete_until_seconds for key in missing)
    assert compare(written, written, 100.0).objects == 0


def test_objects_that_came_in_parts_are_compared_by_their_size() -> None:
    assert compare({"big": Entry("x-12", 5, 1.0)}, {"big": Entry("y", 5, 2.0)}, 9.0).objects == 0
    assert compare({"big": Entry("x-12", 5, 1.0)}, {"big": Entry("y", 4, 2.0)}, 9.0).objects == 1


def looked(observer: str, at: float, **facts: Any) -> Observation:
    return Observation(
        observer, int(at) + 1, START + at, CENTRAL, Subject.BUCKET, "storage", Seen.UP, 0.01, "", {"role": "replica", **facts}
    )


def test_of_several_counts_the_newest_is_told_and_goes_on_ageing() -> None:
    profile, first, second = PLAN.profiles["fast"], OBSERVERS[0], OBSERVERS[1]
    old = {"backlog": 9, "backlog_bytes": 90, "oldest_uncopied_seconds": 30.0, "backlog_age_seconds": 12.0}
    new = {"backlog": 2, "backlog_bytes": 20, "oldest_uncopied_seconds": 4.0, "backlog_age_seconds": 1.0}
    history = History()
    for observation in (looked(first, 0.0, **new), looked(second, 1.0, **old), looked(first, 1.0)):
        history = absorb(history, [observation], observation.at_seconds, profile)
    (bucket,) = standings(history, picture(PLAN, profile, history, START + 1.0))
    assert bucket.backlog == Backlog(9, 90, 30.0, 12.0), "the other observer's last look had nothing counted"
    history = absorb(history, [looked(first, 2.0, **new)], START + 2.0, profile)
    (bucket,) = standings(history, picture(PLAN, profile, history, START + 3.0))
    assert bucket.backlog == Backlog(2, 20, 5.0, 2.0)


def state_with(backlog: Mapping[str, Any] | None, lag: float | None = 0.8, *, follows: bool | None = True) -> dict[str, Any]:
    link = {"component": "storage", "from": WEST, "to": CENTRAL, "follows": follows, "lag_seconds": lag, "backlog": backlog}
    thing = {"subject": "bucket", "name": "storage", "title": "Object storage"}
    return {"sides": [{"region": WEST, "things": [thing]}, {"region": CENTRAL, "things": [thing]}], "links": [link]}


@pytest.mark.parametrize(
    ("state", "said", "text"),
    [
        (
            state_with({"objects": 12, "size_bytes": 1_234_567, "oldest_seconds": 42.0, "age_seconds": 6.0}),
            "unknown",
            "0.80 s behind, 12 objects (1.2 MB) wait, the oldest for 42 s (counted 6 s ago)",
        ),
        (
            state_with({"objects": 0, "size_bytes": 0, "oldest_seconds": 0.0, "age_seconds": 6.0}),
            "done",
            "0.80 s behind, nothing waits (counted 6 s ago)",
        ),
        (state_with({"objects": 0, "size_bytes": 0, "oldest_seconds": 0.0, "age_seconds": 90.0}), "unknown", "counted 90 s ago"),
        (state_with(None), "unknown", "what waits to be copied was not counted yet"),
        (state_with(None, None, follows=None), "unknown", "whether it is copied is unknown"),
        (state_with(None, None, follows=False), "failed", "not copied"),
    ],
)
def test_a_copy_is_told_with_what_waits_and_when_that_was_counted(state: dict[str, Any], said: str, text: str) -> None:
    (line,) = copies(state)
    assert line.state == said
    assert line.text.startswith(f"Object storage {WEST} → {CENTRAL}: ")
    assert text in line.text.replace("\u202f", " ")


def test_sizes_are_read_by_people() -> None:
    assert [size(value) for value in (0, 999, 1000, 12_345, 1_500_000, 2e9, 3e12)] == [
        "0 B", "999 B", "1.0 kB", "12 kB", "1.5 MB", "2.0 GB", "3.0 TB",
    ]  # fmt: skip
