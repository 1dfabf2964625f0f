"""`manage.py openai_document --file docs/openai.yaml`: the OpenAPI document of /v1, as it is kept with the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandParser

from serving_app.openai.document.paths import document


class WithoutAnchors(yaml.SafeDumper):
    """Writes a part that stands in two places twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class Command(BaseCommand):
    help = "Write the OpenAPI document of /v1 as YAML."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        text = yaml.dump(document(), Dumper=WithoutAnchors, sort_keys=False, allow_unicode=True, width=120)
        options["file"].write_text(text, encoding="utf-8")
