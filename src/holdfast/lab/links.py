"""The links of a lab: for each direction whether bytes pass, and how late they arrive.

A link is one direction (F→T). Sites are linked with each other, and each zone with its region; what goes from one place to another passes
every link on its way (zone → region → other region → its zone), and besides one that belongs to this pair alone, so that any pair can be
cut one way. Whatever carries bytes asks its `Path` for `open` and `delay_seconds` each time, and subscribes to hear of changes.
Traffic inside a place has no link: its path is always open and never late.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise


class UnknownLink(Exception):
    """There is no such link; the message names those that exist."""


@dataclass(slots=True, eq=False)
class Link:
    """One direction between two places. Set its state through `Links`, which tells the listeners."""

    origin: str
    destination: str
    open: bool = True
    delay_seconds: float = 0.0
    carried_bytes: int = 0
    listeners: set[Callable[[], None]] = field(default_factory=set)

    def changed(self) -> None:
        """Tell everybody who holds bytes for this link that its state is another."""
        for listener in tuple(self.listeners):
            listener()


class Path:
    """Every link from one place to another, as one."""

    __slots__ = ("_links",)

    def __init__(self, links: tuple[Link, ...]) -> None:
        self._links = links

    @property
    def open(self) -> bool:
        """Whether bytes pass all the way."""
        return all(link.open for link in self._links)

    @property
    def delay_seconds(self) -> float:
        """How late bytes arrive at the end."""
        return sum(link.delay_seconds for link in self._links)

    def carried(self, count: int) -> None:
        """So many bytes passed."""
        for link in self._links:
            link.carried_bytes += count

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call this whenever the state of a link on the way changes."""
        for link in self._links:
            link.listeners.add(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        for link in self._links:
            link.listeners.discard(listener)


class Links:
    """All links of a lab. `zones`: zone → its region."""

    def __init__(self, sites: tuple[str, ...], zones: Mapping[str, str] | None = None) -> None:
        self.sites = sites
        self.zones = dict(zones or {})
        self.places = (*sites, *self.zones)
        pairs = [(origin, destination) for origin in self.places for destination in self.places if origin != destination]
        self._links = {pair: Link(*pair) for pair in pairs}
        self._paths = {pair: Path(tuple(self._on_the_way(*pair))) for pair in pairs}
        self._home = Path(())

    def _on_the_way(self, origin: str, destination: str) -> Iterator[Link]:
        stops = [origin, self.zones.get(origin, origin), self.zones.get(destination, destination), destination]
        stops = [stop for place, stop in enumerate(stops) if place == 0 or stop != stops[place - 1]]
        yield from (self._links[pair] for pair in pairwise(stops))
        if len(stops) > 2:
            yield self._links[origin, destination]

    def between(self, origin: str, destination: str) -> Path:
        """The way that bytes take from one place to another. Raises UnknownLink for a name that is none."""
        for place in (origin, destination):
            if place not in self.places:
                raise UnknownLink(f"no place is called '{place}'; the places are {', '.join(self.places)}")
        return self._home if origin == destination else self._paths[origin, destination]

    def cut(self, origin: str, destination: str) -> None:
        """From now on nothing passes in this direction."""
        link = self._distinct(origin, destination)
        link.open = False
        link.changed()

    def heal(self) -> None:
        """Open every link again; what was held flows."""
        self._open_all(list(self._links.values()))

    def heal_place(self, place: str) -> None:
        """Open every link of a place again, but for those that a zone shares with its region when the region is healed."""
        self.between(place, place)
        self._open_all(
            [
                link
                for (origin, destination), link in self._links.items()
                if place in (origin, destination) and place not in (self.zones.get(origin), self.zones.get(destination))
            ]
        )

    def _open_all(self, links: list[Link]) -> None:
        for link in links:
            link.open = True
        for link in links:
            link.changed()

    def open(self, origin: str, destination: str) -> None:
        """Open one direction again."""
        self._open_all([self._distinct(origin, destination)])

    def delay(self, origin: str, destination: str, seconds: float) -> None:
        """Let everything that is sent from now on arrive later by `seconds`."""
        if not 0 <= seconds <= 60:
            raise ValueError(f"a delay is between 0 and 60 seconds, not {seconds:g}")
        link = self._distinct(origin, destination)
        link.delay_seconds = seconds
        link.changed()

    def status(self) -> list[dict[str, object]]:
        """Every link as plain JSON values; those of a pair alone only when they are cut or late."""
        return [
            {
                "from": link.origin,
                "to": link.destination,
                "open": link.open,
                "delay_seconds": link.delay_seconds,
                "carried_bytes": link.carried_bytes,
            }
            for link in self._links.values()
            if self._is_direct(link) or not link.open or link.delay_seconds
        ]

    def _is_direct(self, link: Link) -> bool:
        if link.origin in self.sites and link.destination in self.sites:
            return True
        return self.zones.get(link.origin) == link.destination or self.zones.get(link.destination) == link.origin

    def _distinct(self, origin: str, destination: str) -> Link:
        if self.between(origin, destination) is self._home:
            raise UnknownLink(f"'{origin}' has no link to itself")
        return self._links[origin, destination]
