"""What every suite says of itself, so that the house can tell which port is held to which suite and which class has kept it.

A suite names its port. A test class that runs it names the implementations that it runs it on, and the suite looks at what the test
class really opened: what it opens, it must name. `tests/unit/test_house_contracts.py` derives from the source what must be named.
"""

from typing import ClassVar


class Suite:
    """One port's contract."""

    port: ClassVar[type]
    implementations: ClassVar[tuple[type, ...]] = ()
    """What a test class runs the contract on; empty for the suite itself."""

    def held(self, found: object) -> None:
        """What a test class opened is what it names."""
        assert type(found) in self.implementations, f"{type(self).__name__} opens a {type(found).__name__} and does not name it"
