"""`manage.py reconcile_usage`: engines' counts minus the ledger's. Ends with 1 when they differ."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from serving_app.services import EngineAway, EngineBroke, EngineRefused, engine_minus_ledger

SHOWN = 20


class Command(BaseCommand):
    help = "Compare every engine's journal with the usage ledger."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            found = engine_minus_ledger()
        except (EngineAway, EngineBroke, EngineRefused) as error:
            raise CommandError(
                f"An engine's journal cannot be read: {error} Start the engine, then ask again."
            ) from error
        self.stdout.write(f"{found.compared} attempts; engines minus ledger: {found.prompt_tokens} prompt tokens, ")
        self.stdout.write(f"{found.completion_tokens} completion tokens, {len(found.attempts)} attempts differ")
        if found.elsewhere:
            self.stdout.write(
                f"{found.elsewhere} more on engines without a journal, or engines that are gone: not compared"
            )
        for attempt in found.attempts[:SHOWN]:
            self.stdout.write(f"  {attempt}")
        if not found.is_even:
            sys.exit(1)
