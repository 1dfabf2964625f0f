"""Recompute the audit log's hash chains, and look at the seals on their ends."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from gptstudio.audit import selectors, services


class Command(BaseCommand):
    help = "Recompute every hash of the audit log; non-zero when a line was changed or is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seal", action="store_true", help="Seal a whole log under a new SECRET_KEY; then drop the one before."
        )

    def handle(self, *_args: Any, seal: bool = False, **_options: Any) -> None:
        if findings := selectors.broken_chains():
            raise CommandError("\n".join(findings))
        self.stdout.write("The audit log is whole.")
        if seal:
            self.stdout.write(f"{services.seal_again()} chains are sealed under SECRET_KEY.")
