"""`manage.py reconcile`: makes the engines hold what the database says, bills what nobody billed, sends work again."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.db import close_old_connections

from gptstudio.core import storage
from gptstudio.core.database import check_schema
from gptstudio.core.errors import StudioError
from gptstudio.notify.services import send_due
from serving_app.services import Reconciler
from serving_app.services.asking import Stopped

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 2.0


def send_until(stop: threading.Event) -> None:
    """Send notices in a thread of their own: an address that is slow to answer keeps no engine waiting."""
    while not stop.is_set():
        try:
            send_due()
        except DatabaseError as error:
            logger.warning("notices wait: %s", error)
        finally:
            close_old_connections()
        stop.wait(PAUSE_SECONDS)


def sender_until(stop: threading.Event) -> threading.Thread:
    """That thread. A try it is in keeps no process from ending: the claim runs out and the next start tries again."""
    return threading.Thread(target=send_until, args=(stop,), name="notices", daemon=True)


class Command(BaseCommand):
    help = "Look after engines, usage and stale work until told to stop."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            check_schema(version=settings.VERSION)
            storage.check()
        except StudioError as error:
            raise CommandError(str(error)) from error
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_signal: stop.set())
        reconciler = Reconciler(stop)
        sender = sender_until(stop)
        sender.start()
        try:
            while not stop.is_set():
                self._pass(reconciler)
                stop.wait(PAUSE_SECONDS)
        except Stopped:
            logger.info("stopped while an engine was busy")
        finally:
            reconciler.close()
            stop.set()
            sender.join(timeout=10)

    def _pass(self, reconciler: Reconciler) -> None:
        """One pass; a database that is away, or a refusal, costs a pass and not the process."""
        try:
            reconciler.run_pass()
        except (DatabaseError, StudioError) as error:
            logger.warning("this pass was cut short: %s", error)
        finally:
            close_old_connections()
