"""An audience's members out of an HTTP directory: a JSON object with a list `members`, each with `id`, `name`, `email`, `phone`, `chat`.

Rules: one request, bounded in time and size, no redirects; whatever is not such an answer makes the whole answer unusable.
"""

import json
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from holdfast.communications.recipients import Member
from holdfast.ports.audience import DirectoryUnreadableError

WITHIN_SECONDS = 10.0
MOST_BYTES = 64 * 1024 * 1024
MOST_MEMBERS = 200_000


class HttpAudience:
    """One directory. `member`: makes a member of its fields, or raises DirectoryUnreadableError."""

    def __init__(self, url: str, member: Callable[[Mapping[str, str], str], Member], token: Callable[[], str] | None = None) -> None:
        """`token`: reads the bearer token, at every ask, so that it can be renewed; raises OSError."""
        self._url = url
        self._member = member
        self._token = token
        # What stands behind a question mark or before an @ may be a secret: no error repeats it.
        self._place = url.partition("?")[0].rpartition("@")[2]

    async def members(self) -> tuple[Member, ...]:
        """Ask it. Raises DirectoryUnreadableError."""
        content = await self._content()
        try:
            listed = json.loads(content)["members"]
            fields = [{str(name): str(value) for name, value in entry.items() if value is not None} for entry in listed]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            said = f"{self._place} answers something else than a list of members: {type(error).__name__}"
            raise DirectoryUnreadableError(said) from error
        if len(fields) > MOST_MEMBERS:
            raise DirectoryUnreadableError(f"{self._place} names more than {MOST_MEMBERS} members")
        members: dict[str, Member] = {}
        for number, entry in enumerate(fields, start=1):
            member = self._member(entry, f"{self._place}, member {number}")
            if member.identifier in members:
                raise DirectoryUnreadableError(f"{self._place}, member {number}: the id {member.identifier} was named before")
            members[member.identifier] = member
        return tuple(members.values())

    def _authorization(self) -> dict[str, str]:
        if self._token is None:
            return {}
        try:
            return {"authorization": f"Bearer {self._token()}"}
        except OSError as error:
            raise DirectoryUnreadableError(f"{self._place} was not asked: its token can't be read: {error}") from error

    async def _content(self) -> bytes:
        import asyncio

        import httpx

        headers = {"accept": "application/json"} | self._authorization()
        content = b""
        try:
            _ = urlsplit(self._url).port  # one that there can't be would end in an error group
            async with asyncio.timeout(WITHIN_SECONDS), httpx.AsyncClient(trust_env=False) as client:
                async with client.stream("GET", self._url, headers=headers, follow_redirects=False) as answer:
                    if answer.status_code != 200:
                        raise DirectoryUnreadableError(f"{self._place} answers {answer.status_code}")
                    async for piece in answer.aiter_bytes():
                        content += piece
                        if len(content) > MOST_BYTES:
                            raise DirectoryUnreadableError(f"{self._place} answers more than {MOST_BYTES} bytes")
        except (ValueError, httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise DirectoryUnreadableError(f"{self._place} does not answer: {type(error).__name__}") from error
        return content
