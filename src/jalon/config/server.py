"""Preparing an installation and serving it."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

from django.conf import settings

from jalon.core import clock
from jalon.core.errors import Refused
from jalon.core.lang import T

Say = Callable[..., None]


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two ``jalon run`` started together prepare one after the other."""
    with open(settings.HOME / "prepare.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(*, demo: bool, say: Say) -> None:
    """Make the database current, load the register and (once) the demonstration. Says what it does.

    Raises:
        Refused: the database cannot be reached, or cannot be brought up to date.
    """
    from django.core.management import call_command
    from django.db import OperationalError, connection
    from django.db.migrations.executor import MigrationExecutor

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns when it is missing
    with _one_at_a_time():
        try:
            plan = MigrationExecutor(connection)
            todo = plan.migration_plan(plan.loader.graph.leaf_nodes())
        except OperationalError as error:
            raise Refused(
                T(
                    "La base de données ne répond pas : {error}. Vérifier JALON_DATABASE_URL et que le serveur est démarré.",
                    "The database does not answer: {error}. Check JALON_DATABASE_URL and that the server is running.",
                    error=str(error).strip().splitlines()[0],
                )
            ) from error
        if todo:
            say("Base de données : {n} étapes…", "Database: {n} steps…", n=len(todo))
            call_command("migrate", verbosity=0, interactive=False)
        from jalon.clusters.loading import load_register_if_changed

        load_register_if_changed(say=say)
        from jalon.projects.loading import load_calls_if_changed

        load_calls_if_changed()
        from jalon.evaluations.loading import load_campaigns_if_changed

        load_campaigns_if_changed()
        if demo:
            from jalon.demo.build import build_once

            build_once(say=say)
        from jalon.contracts.loading import load_known_if_changed

        load_known_if_changed()
        from jalon.decisions.loading import load_known_if_changed as load_decisions

        load_decisions()


def nightly() -> list[str]:
    """The night's work, safe to run at any time and any number of times. Returns what was done."""
    from jalon.contracts import follow_actions
    from jalon.core.journal import close_day
    from jalon.core.outbox import send_waiting
    from jalon.workspace.tasks import reminders

    done = []
    with clock.hold(read=True):
        today = clock.today()
        opened = follow_actions.nightly(on=today)
        done.append(
            str(
                T(
                    "{n} suivis ouverts, {m} rappels de suivi",
                    "{n} reports opened, {m} reminders of reports",
                    n=opened["reports"],
                    m=opened["reminders"],
                )
            )
        )
        done += [str(line) for function in _nights() for line in function(on=today)]
        done.append(str(T("{n} résumés préparés", "{n} digests prepared", n=reminders(on=today))))
        sent, waiting = send_waiting()
        done.append(
            str(
                T(
                    "{sent} messages envoyés, {waiting} en attente",
                    "{sent} messages sent, {waiting} waiting",
                    sent=sent,
                    waiting=waiting,
                )
            )
        )
        root = close_day(today)
        if root:
            done.append(
                str(
                    T(
                        "racine du {day} : {root}",
                        "root of {day}: {root}",
                        day=root.day.isoformat(),
                        root=root.root,
                    )
                )
            )
    return done


NIGHTS = ("projects", "labelling", "selection", "funding", "committees", "evaluations", "decisions")
"""Packages whose ``nightly.nightly(on=day)`` does their part of the night's work and answers with sentences."""


def _nights() -> list[Callable[..., list[object]]]:
    from importlib import import_module
    from importlib.util import find_spec

    names = [f"jalon.{name}.nightly" for name in NIGHTS]
    return [import_module(name).nightly for name in names if find_spec(name)]


def _tick_forever() -> None:
    """In the serving process: the night's work once a day, soon after start and then after midnight."""
    from django.db import close_old_connections

    last: dt.date | None = None
    time.sleep(20)
    while True:
        day = clock.real_now().astimezone(clock.PARIS).date()
        if day != last:
            with contextlib.suppress(Exception):
                nightly()
                last = day
            close_old_connections()
        time.sleep(600)


def serve(host: str, port: int, workers: int) -> None:
    """Serve until stopped; the last line printed is the address.

    Raises:
        Refused: the port is taken.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                T(
                    "Le port {port} de {host} n'est pas libre ({error}). Essayer : ./jalon run --port {other}",
                    "Port {port} of {host} is not free ({error}). Try: ./jalon run --port {other}",
                    port=port,
                    host=host,
                    error=error.strerror,
                    other=port + 1,
                )
            ) from error
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self):
            for key, value in {
                "bind": f"{host}:{port}",
                "workers": workers,
                "threads": 4,
                "worker_class": "gthread",
                "timeout": 120,
                "graceful_timeout": 10,
                "loglevel": "warning",
                "preload_app": True,
                "control_socket_disable": True,
                "when_ready": lambda server: print(f"Jalon : http://{host}:{port}/", flush=True),
                "post_worker_init": _start_ticking,
            }.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self):
            from jalon.config.wsgi import application

            return application

    from django.db import connections

    connections.close_all()
    os.environ.setdefault("GUNICORN_CMD_ARGS", "")
    Server().run()


def _start_ticking(worker) -> None:
    if worker.age == 1:
        threading.Thread(target=_tick_forever, name="nightly", daemon=True).start()
