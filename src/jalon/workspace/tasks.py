"""Reminders: one digest per user and day at most, made of the same tasks as the home page."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from jalon.core.outbox import post
from jalon.people import messages
from jalon.people.models import User
from jalon.workspace.queries import everything_for, link

WEEK = dt.timedelta(days=7)


def address() -> str:
    """The address of the home page, under the first name by which this installation is served."""
    host = next((h for h in settings.ALLOWED_HOSTS if h != "*"), "127.0.0.1").lstrip(".")
    return f"{'https' if settings.HTTPS else 'http'}://{host}{link('home')}"


def reminders(on: dt.date) -> int:
    """Prepare the day's digests; returns how many. Run again on the same day, it prepares none.

    Somebody for whom nothing waits gets none. The frequency is the user's own: daily, weekly, never.
    """
    prepared = 0
    due = Q(reminders="daily") | Q(reminders="weekly") & (Q(reminded_on__isnull=True) | Q(reminded_on__lte=on - WEEK))
    users = User.objects.filter(
        due, Q(reminded_on__isnull=True) | ~Q(reminded_on=on), is_active=True, mandates__revoked_at__isnull=True
    ).distinct()
    for user in users.order_by("id").iterator(chunk_size=200):
        tasks = [task for _, waiting in everything_for(user, on) for task in waiting]
        if not tasks:
            continue
        with transaction.atomic():
            # whoever marks the day first sends the digest: two ticks at once prepare one
            marked = User.objects.filter(Q(reminded_on__isnull=True) | ~Q(reminded_on=on), pk=user.pk).update(
                reminded_on=on
            )
            if not marked:
                continue
            subject, body = messages.digest(
                language=user.language, name=user.name, day=on, tasks=tasks, address=address()
            )
            post(user.email, subject, body, case=f"user:{user.pk}")
            prepared += 1
    return prepared
