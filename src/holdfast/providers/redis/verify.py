"""Proving a region's Redis: a write under the right epoch, as what a promotion is verified with. Never here: application data."""

from collections.abc import Awaitable, Callable, Mapping

from redis.asyncio import Redis

from holdfast.plan.bindings import RedisBinding
from holdfast.ports.action import Answer, Finding, Task
from holdfast.providers.redis.session import MARK_KEY, ServerRefusal, Session, read_mark

_TIMEOUT_SECONDS = 5.0
_KEPT_SECONDS = 3600


def prove_writer(caches: Mapping[str, RedisBinding]) -> Callable[[Task], Awaitable[Finding]]:
    """The proof of a promotion: a write that the target took under the order's era and epoch."""

    async def prove(task: Task) -> Finding:
        session = Session(caches[task.target], "holdfast-proof")
        try:
            return await session.use(lambda client: _proved(client, task), _TIMEOUT_SECONDS)
        except ServerRefusal as refusal:
            return Finding(Answer.NO, f"Redis in {task.target} says no: {refusal}")
        except OSError as error:  # silence, a broken connection, or a password that can't be read here
            return Finding(Answer.UNKNOWN, str(error))
        finally:
            await session.close()

    return prove


async def _proved(client: Redis, task: Task) -> Finding:
    mark = read_mark(await client.get(MARK_KEY))
    wanted = {"era": task.order.era, "epoch": task.order.epoch, "region": task.target}
    if mark != wanted:
        detail = f"Redis in {task.target} is marked {mark}, not as the writer of era {task.order.era}, epoch {task.order.epoch}"
        return Finding(Answer.NO, detail, {"mark": mark})
    await client.set(f"holdfast:proof:{task.target}", str(task.order.as_text()), ex=_KEPT_SECONDS)
    return Finding(Answer.YES, f"Redis in {task.target} took a write under era {task.order.era}, epoch {task.order.epoch}", {"mark": mark})
