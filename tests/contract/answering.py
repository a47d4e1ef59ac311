"""A place that answers over HTTP, as a program of its own, so that it can be frozen: every call gets 200 and what runs there."""

import asyncio
import sys

from holdfast.lab.application.web import Call, Reply, Server


async def answer(call: Call) -> Reply:
    del call
    return Reply(200, {"instances": {"voice": 2}})


async def serve(host: str, port: int) -> None:
    await Server(answer).start(host, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
