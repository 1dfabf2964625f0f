"""`manage.py rebuild_usage`: sums by day and balances, made anew from the ledger. Says how many were not right."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from serving_app.services import rebuild_usage


class Command(BaseCommand):
    help = "Make daily sums and balances anew from the usage ledger; may run while the studio does."

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = rebuild_usage()
        self.stdout.write(
            f"{made.rows} daily sums made from the ledger; {made.wrong_days} of them and {made.wrong_balances} balances "
            "differed from what was there"
        )
