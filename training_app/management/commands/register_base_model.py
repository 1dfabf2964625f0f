"""`manage.py register_base_model --workspace W --name N --path P [--embeddings]`: a folder becomes a base model."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gptstudio.accounts.policies import system
from gptstudio.accounts.selectors import workspace_by_slug
from gptstudio.core.errors import StudioError
from training_app.services import register_base_model


class Command(BaseCommand):
    help = "Register a folder below STUDIO_HOME/import as a base model of a workspace."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, help="its short name, as in model names")
        parser.add_argument("--name", required=True, help="what programs will call the model")
        parser.add_argument("--path", required=True, help="the folder below STUDIO_HOME/import")
        parser.add_argument("--licence", default="")
        parser.add_argument("--embeddings", action="store_true", help="let programs ask it for vectors of texts, too")

    def handle(self, *_args: Any, **options: Any) -> None:
        workspace = workspace_by_slug(options["workspace"])
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']!r}.")
        try:
            model = register_base_model(
                system(workspace.id),
                workspace_id=workspace.id,
                name=options["name"],
                path=options["path"],
                licence=options["licence"],
                embeds=options["embeddings"],
            )
        except StudioError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Registered {model.name}: {model.parameters:,} parameters, {model.id}")
