"""Handlers of what needs no signing in: whether the process lives, what pages load, the status page's files, the feed for customers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse

from holdfast.console.serving.doors import Handler, Refused, Visit
from holdfast.console.serving.pages import static
from holdfast.console.serving.settings import ServeSettings
from holdfast.console.serving.streams import BEGIN, HEADERS, MEDIA_TYPE, Seats, event

FEED_SECONDS = 0.5
MOST_FEEDS = 500
_LONGEST_NAME = 512
_FOR_A_MINUTE = {"cache-control": "public, max-age=60"}
_ANYWHERE = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
"""What customers see anyway, their own front end may load."""
_OF_THE_STATUS_PAGE = {
    **_ANYWHERE,
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""It is one file that lives anywhere, so its style stands in it; nothing in it runs."""


class Showing:
    """What anybody may see."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._style, self._script, self._icon = static("style.css"), static("live.js"), static("icon.svg")
        self._feeds = Seats(MOST_FEEDS)

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Route → handler."""
        return {
            ("GET", "/healthz"): self._health,
            ("GET", "/style.css"): self._style_sheet,
            ("GET", "/live.js"): self._live_script,
            ("GET", "/icon.svg"): self._icon_file,
            ("GET", "/status/{path:path}"): self._status,
            ("GET", "/feed"): self._feed,
        }

    async def _health(self, _: Visit) -> Response:
        return PlainTextResponse("ok\n")

    async def _style_sheet(self, _: Visit) -> Response:
        return Response(self._style, media_type="text/css", headers=_FOR_A_MINUTE)

    async def _live_script(self, _: Visit) -> Response:
        return Response(self._script, media_type="text/javascript", headers=_FOR_A_MINUTE)

    async def _icon_file(self, _: Visit) -> Response:
        return Response(self._icon, media_type="image/svg+xml", headers=_FOR_A_MINUTE)

    async def _status(self, visit: Visit) -> Response:
        folder = self._settings.status_folder
        if folder is None:
            raise Refused(404, "no status page is served here")
        wanted = visit.request.path_params["path"] or "index.html"
        file = await asyncio.to_thread(_inside, folder, wanted)
        if file is None:
            raise Refused(404, "the status page has no such file")
        return FileResponse(file, headers=_OF_THE_STATUS_PAGE)

    async def _feed(self, visit: Visit) -> Response:
        if self._settings.feed_file is None:
            raise Refused(404, "no feed is served here")
        if self._feeds.full:
            raise Refused(503, f"{MOST_FEEDS} follow the feed already: put a proxy that shares it before it")
        last = visit.request.headers.get("last-event-id", "0")
        after = int(last) if last.isascii() and last.isdecimal() and len(last) < 16 else 0
        return StreamingResponse(self._followed(self._settings.feed_file, after), media_type=MEDIA_TYPE, headers={**_ANYWHERE, **HEADERS})

    async def _followed(self, file: Path, after: int) -> AsyncIterator[str]:
        with self._feeds.taken():
            async for line in events(file, after):
                yield line


def _inside(folder: Path, wanted: str) -> Path | None:
    """The file, where it really lies in the folder and is meant to be seen."""
    if len(wanted) > _LONGEST_NAME or not wanted.isprintable() or any(part.startswith(".") for part in wanted.split("/")):
        return None
    file = (folder / wanted).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


async def events(file: Path, after: int) -> AsyncIterator[str]:
    """The feed's lines after a number, for ever: a line that has no end yet is still being written and waits."""
    number, offset, read_to = 0, 0, 0
    yield BEGIN
    while True:
        size = _size(file)  # a look at the file costs less than asking another thread to look
        content = await asyncio.to_thread(_rest, file, offset) if size != read_to else b""
        read_to = offset + len(content)
        whole = content[: content.rfind(b"\n") + 1]
        offset += len(whole)
        for line in whole.splitlines():
            number += 1
            if number > after and (said := _event(line, number)) is not None:
                yield said
        if not whole:
            yield ": alive\n\n"
            await asyncio.sleep(FEED_SECONDS)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _rest(file: Path, offset: int) -> bytes:
    try:
        with file.open("rb") as opened_file:
            opened_file.seek(offset)
            return opened_file.read(1_000_000)
    except FileNotFoundError:
        return b""


def _event(line: bytes, number: int) -> str | None:
    try:
        given = json.loads(line)
        kind = str(given["event"]).replace("\n", " ").replace("\r", " ")
        return event(kind, given["data"], number)
    except (ValueError, KeyError, TypeError):
        return None  # a line torn by a crash
