"""Simulated links between sites. A cut direction loses what is sent; an answer needs both directions."""


class Links:
    """All links between the sites. Everything reaches itself."""

    def __init__(self, sites: tuple[str, ...]) -> None:
        self.sites = sites
        self._cut: set[tuple[str, str]] = set()
        self._zones_cut: set[str] = set()

    def cut_zone(self, zone: str) -> None:
        """Cut a zone off from its region, and so from everything."""
        self._zones_cut.add(zone)

    def heal_zone(self, zone: str) -> None:
        """Mend a zone's link."""
        self._zones_cut.discard(zone)

    def reaches_zone(self, zone: str) -> bool:
        """Whether a zone is linked with its region."""
        return zone not in self._zones_cut

    def cut(self, site: str) -> None:
        """Cut a site off from every other, both ways."""
        for other in self.sites:
            self.cut_between(site, other)

    def heal(self, site: str) -> None:
        """Mend every link of a site."""
        for other in self.sites:
            self.heal_between(site, other)

    def cut_between(self, one: str, other: str) -> None:
        """Cut both directions between two sites."""
        self.cut_one_way(one, other)
        self.cut_one_way(other, one)

    def cut_one_way(self, sender: str, receiver: str) -> None:
        """Lose what one site sends to the other."""
        if sender != receiver:
            self._cut.add((sender, receiver))

    def heal_between(self, one: str, other: str) -> None:
        """Mend both directions between two sites."""
        self._cut -= {(one, other), (other, one)}

    def heal_all(self) -> None:
        """Mend everything."""
        self._cut.clear()
        self._zones_cut.clear()

    def carries(self, sender: str, receiver: str) -> bool:
        """Whether what one site sends reaches the other."""
        return (sender, receiver) not in self._cut

    def answers(self, asking: str, asked: str) -> bool:
        """Whether a question reaches the other site and its answer comes back."""
        return self.carries(asking, asked) and self.carries(asked, asking)
