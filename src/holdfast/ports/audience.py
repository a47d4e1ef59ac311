"""Where the members of an audience stand when they are many: the port behind every directory."""

from typing import Protocol

from holdfast.communications.recipients import Member


class DirectoryUnreadableError(Exception):
    """The directory does not answer, or its answer is none: nobody knows who is in the audience now. The text says what to do."""


class AudienceSource(Protocol):
    """One audience's directory."""

    async def members(self) -> tuple[Member, ...]:
        """Everybody in it, now. Raises DirectoryUnreadableError; an empty answer means that nobody is in it."""
