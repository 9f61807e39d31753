"""Messages that acts decided, stored with them and sent after the commit.

Without a mail server (``JALON_MAIL_URL``) they wait in the table, where the interface shows them.
"""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from jalon.core import clock
from jalon.core.models import OutboxMessage

MAX_ATTEMPTS = 8


def post(to: str, subject: str, body: str, *, case: str = "") -> OutboxMessage:
    """Store a message inside the act's transaction; it is sent once the act is committed."""
    message = OutboxMessage.objects.create(
        to=to,
        subject=str(subject)[:255].replace("\n", " "),
        body=str(body),
        case=case,
        created_at=clock.now(),
    )
    if settings.MAIL_URL:
        transaction.on_commit(lambda: _send(message))
    return message


def send_waiting() -> tuple[int, int]:
    """Send what waits; ``(sent, still waiting)``. Nothing is sent without a mail server."""
    waiting = OutboxMessage.objects.filter(sent_at__isnull=True, attempts__lt=MAX_ATTEMPTS).exclude(
        to__endswith=".invalid"  # accounts of the demonstration
    )
    if not settings.MAIL_URL:
        return 0, waiting.count()
    sent = sum(_send(message) for message in waiting.order_by("id")[:500])
    return sent, waiting.count()


def _send(message: OutboxMessage) -> bool:
    try:
        send_mail(message.subject, message.body, settings.DEFAULT_FROM_EMAIL, [message.to])
    except OSError as error:
        message.attempts += 1
        message.last_error = str(error)[:300]
        message.save(update_fields=["attempts", "last_error"])
        return False
    message.sent_at = clock.real_now()
    message.save(update_fields=["sent_at"])
    return True
