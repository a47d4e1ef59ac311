"""The links between sites: for each direction whether bytes pass, and how late they arrive.

A link is one direction (F→T). Whatever carries bytes over it asks `open` and `delay_seconds` each time, and subscribes to
hear of changes. Traffic inside a site has no link of its own: it shares one that is always open and never late.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


class UnknownLink(Exception):
    """There is no such link; the message names those that exist."""


@dataclass(slots=True, eq=False)
class Link:
    """One direction between two sites. Set its state through `Links`, which tells the listeners."""

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


class Links:
    """All links between the sites of a lab."""

    def __init__(self, sites: tuple[str, ...]) -> None:
        self.sites = sites
        self._home = Link("", "")
        self._links = {
            (origin, destination): Link(origin, destination) for origin in sites for destination in sites if origin != destination
        }

    def between(self, origin: str, destination: str) -> Link:
        """The link that carries bytes from one site to another. Raises UnknownLink for a name that is no site."""
        for site in (origin, destination):
            if site not in self.sites:
                raise UnknownLink(f"no site is called '{site}'; the sites are {', '.join(self.sites)}")
        return self._home if origin == destination else self._links[origin, destination]

    def cut(self, origin: str, destination: str) -> None:
        """From now on nothing passes in this direction."""
        link = self._distinct(origin, destination)
        link.open = False
        link.changed()

    def heal(self) -> None:
        """Open every link again; what was held flows."""
        for link in self._links.values():
            link.open = True
        for link in self._links.values():
            link.changed()

    def open(self, origin: str, destination: str) -> None:
        """Open one direction again."""
        link = self._distinct(origin, destination)
        link.open = True
        link.changed()

    def delay(self, origin: str, destination: str, seconds: float) -> None:
        """Let everything that is sent from now on arrive later by `seconds`."""
        if not 0 <= seconds <= 60:
            raise ValueError(f"a delay is between 0 and 60 seconds, not {seconds:g}")
        link = self._distinct(origin, destination)
        link.delay_seconds = seconds
        link.changed()

    def status(self) -> list[dict[str, object]]:
        """Every link as plain JSON values."""
        return [
            {
                "from": link.origin,
                "to": link.destination,
                "open": link.open,
                "delay_seconds": link.delay_seconds,
                "carried_bytes": link.carried_bytes,
            }
            for link in self._links.values()
        ]

    def _distinct(self, origin: str, destination: str) -> Link:
        link = self.between(origin, destination)
        if link is self._home:
            raise UnknownLink(f"'{origin}' has no link to itself")
        return link
