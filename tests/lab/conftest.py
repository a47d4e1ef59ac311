"""Every test with real servers leaves nothing on the machine outside its folder; the file that does is named."""

from lab.traces import nothing_stays_behind

__all__ = ("nothing_stays_behind",)
