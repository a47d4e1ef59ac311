"""Every test with real servers leaves nothing on the machine outside its folder; the file that does is named."""

from lab.traces import keep_apart, nothing_stays_behind

__all__ = ("nothing_stays_behind",)

keep_apart()
