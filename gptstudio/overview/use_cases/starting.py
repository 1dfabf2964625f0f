"""Begin with a use case: a data set that knows its recipe, preset and questions, with sample data in it or none yet."""

from __future__ import annotations

from django.db import transaction

from datasets_app import services
from datasets_app.models import Dataset
from gptstudio.accounts.policies import Actor
from gptstudio.overview.use_cases.catalogue import UseCase
from gptstudio.overview.use_cases.sample import sample_of


def start_use_case(
    actor: Actor, *, workspace_id: str, case: UseCase, name: str = "", with_sample: bool = True
) -> Dataset:
    """The data set; with the sample in it unless somebody brings a file of their own."""
    chosen = case if with_sample else case.for_own_file()
    with transaction.atomic():
        dataset = services.create_dataset(
            actor, workspace_id=workspace_id, name=name.strip() or chosen.name, aim=chosen.aim
        )
        if with_sample:
            services.add_file(actor, dataset=dataset, name=case.file, chunks=[sample_of(case)], is_made_up=True)
    return dataset
