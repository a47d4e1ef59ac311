"""The long tail: any service that Apprise knows, by its URL, which is a secret.

Apprise says yes or no and no more: a no may be anything, so nothing is known about what arrived, and a repeat is possible.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from holdfast.ports.notifier import Notification, Purpose, RefusedNotificationError, Repeats
from holdfast.ports.post import Secret, body_text, check_mark

THREADS = 16
"""Of its own: a service that hangs holds nobody else up."""


class AppriseNotifier:
    """One service. Where it leads to one person or to many isn't known here: no link and no digits of one person's own go along."""

    repeats = Repeats.POSSIBLE

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")

    async def send(self, notification: Notification) -> str:
        """Returns `apprise:<key>`."""
        check_mark(notification)
        if not await asyncio.get_running_loop().run_in_executor(self._threads, self._notify, notification):
            raise TimeoutError("the service behind Apprise did not say yes; whether the message was taken isn't known")
        return f"apprise:{notification.key}"

    def _notify(self, notification: Notification) -> bool:
        import apprise  # half a second to load

        service = apprise.Apprise()
        if not service.add(self._url.value):
            raise RefusedNotificationError("Apprise knows no service by this address; correct the secret. Nothing was sent")
        kind = apprise.NotifyType.SUCCESS if notification.purpose is Purpose.RESOLVED else apprise.NotifyType.WARNING
        text, form = body_text(notification), apprise.NotifyFormat.TEXT
        return bool(service.notify(title=notification.subject, body=text, notify_type=kind, body_format=form))
