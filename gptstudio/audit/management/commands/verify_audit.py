"""Recompute the audit log's hash chains."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gptstudio.audit import selectors


class Command(BaseCommand):
    help = "Recompute every hash of the audit log; non-zero when a line was changed or is missing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if findings := selectors.broken_chains():
            raise CommandError("\n".join(findings))
        self.stdout.write("The audit log is whole.")
