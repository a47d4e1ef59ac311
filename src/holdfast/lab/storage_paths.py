"""Names inside the lab's storage that more than one of its parts must agree on. Pure."""

CHANGES_PATH = "/-/changes"
"""Where a storage says what was written to it."""

DIRECTION_KEY = "holdfast/replication.json"
"""The object that says which side is copied from: `{"from": region, "epoch": n}`."""

WRITER_KEY = "holdfast/writer.json"
"""The object that says who writes: `{"era": n, "epoch": n, "region": region}`."""

TIME_MARK_PREFIX = "holdfast/marker/"
"""Objects that say when they were written: their arrival on the other side says until when everything has arrived."""

NEVER_COPIED = frozenset({DIRECTION_KEY, WRITER_KEY})
"""Each bucket's own: a copy would overwrite what the other side says of itself."""
