"""`manage.py routes --json`: every address and method, and what it answers to whom, as the guards say."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from gptstudio.overview.routes import routes


class Command(BaseCommand):
    help = "List every route: path, method, name, kind, and what each role is answered."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        found = routes()
        if options["json"]:
            self.stdout.write("[\n" + ",\n".join(json.dumps(each.body()) for each in found) + "\n]")
            return
        for each in found:
            self.stdout.write(f"{each.method:<7}{each.path}  ({each.kind}{', ' if each.action else ''}{each.action})")
