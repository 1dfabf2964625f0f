"""`manage.py trace_erasure --workspace W --text T`: where a person's data is, however large the uploads are."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gptstudio.accounts.policies import system
from gptstudio.accounts.selectors import workspace_by_slug
from gptstudio.core.errors import StudioError
from gptstudio.overview.erasure import traced
from gptstudio.overview.rest import trace_body


class Command(BaseCommand):
    help = "List every upload, version, model and deployment that descends from what a person said. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, help="its short name")
        parser.add_argument("--text", required=True, help="a name or an address")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = workspace_by_slug(options["workspace"])
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        try:
            found = traced(system(workspace.id), text=options["text"], at_ease=True)
        except StudioError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(trace_body(found), ensure_ascii=False, indent=1))
