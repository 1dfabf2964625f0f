"""How files are read: a data set's mapping, and reading a file again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from datasets_app import services
from datasets_app.models import DatasetFile
from datasets_app.services import stale
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed

pytestmark = pytest.mark.django_db
MAPPING = {"prompt": "question", "completion": "answer"}


def read(file: DatasetFile) -> None:
    assert services.finish_file(services.claim_file(file.id, holder="t"), detection={"rows": 1})
    file.refresh_from_db()


def test_a_mapping_is_checked_kept_audited_and_carried_by_the_recipe(as_bob, dataset, upload) -> None:
    upload("question,answer\na,b\n")
    services.set_mapping(as_bob, dataset=dataset, mapping=MAPPING)
    version = services.create_version(as_bob, dataset=dataset)
    assert version.recipe["mapping"]["prompt"] == "question"
    assert AuditEvent.objects.filter(action="dataset.mapped").count() == 1
    with pytest.raises(Invalid, match="no question with its answer"):
        services.set_mapping(as_bob, dataset=dataset, mapping={"prompt": "question"})


def test_a_recipe_with_a_mapping_of_its_own_keeps_it(as_bob, dataset, upload) -> None:
    from datasets_app import recipes

    upload("question,answer,topic\na,b,c\n")
    services.set_mapping(as_bob, dataset=dataset, mapping=MAPPING)
    own = {"prompt": "question", "label": "topic"}
    version = services.create_version(as_bob, dataset=dataset, recipe={**recipes.default_recipe(), "mapping": own})
    assert version.recipe["mapping"] == own


def test_charlie_sets_no_mapping_and_rereads_nothing(as_charlie, dataset, upload) -> None:
    file = upload("question,answer\na,b\n")
    read(file)
    with pytest.raises(NotAllowed):
        services.set_mapping(as_charlie, dataset=dataset, mapping=MAPPING)
    with pytest.raises(NotAllowed):
        services.reread_file(as_charlie, file=file, reading={"encoding": "big5"})


def test_a_data_set_that_was_put_away_meanwhile_keeps_its_mapping_and_its_reading(as_bob, dataset, upload) -> None:
    file = upload("question,answer\na,b\n")
    read(file)
    file.dataset = services.archive_dataset(as_bob, dataset=dataset)
    with pytest.raises(Conflict, match="was put away"):
        services.set_mapping(as_bob, dataset=file.dataset, mapping=MAPPING)
    with pytest.raises(Conflict, match="was put away"):
        services.reread_file(as_bob, file=file, reading={"encoding": "big5"})


def test_a_file_is_read_again_with_what_a_person_said(as_bob, upload) -> None:
    file = upload("question,answer\na,b\n")
    with pytest.raises(Conflict, match="being read"):
        services.reread_file(as_bob, file=file, reading={"encoding": "big5"})
    read(file)
    again = services.reread_file(as_bob, file=file, reading={"encoding": "big5"})
    assert (again.state, again.reading, again.detection) == ("uploaded", {"encoding": "big5"}, {})


def test_a_version_keeps_how_its_files_were_read(as_bob, dataset, upload) -> None:
    file = upload("question,answer\na,b\n")
    read(file)
    services.reread_file(as_bob, file=file, reading={"encoding": "latin-1", "header": 1})
    version = services.create_version(as_bob, dataset=dataset)
    assert version.recipe["reading"] == {file.id: {"encoding": "iso8859-1", "header": 1}}
    with pytest.raises(Invalid, match="klingon"):
        services.reread_file(as_bob, file=file, reading={"encoding": "klingon"})


def test_reading_a_file_again_many_times_is_no_reason_to_give_up(as_bob, upload) -> None:
    file = upload("question,answer\na,b\n")
    DatasetFile.objects.filter(id=file.id).update(created_at=timezone.now() - 2 * stale.SETTLING)
    for _ in range(stale.MOST_ATTEMPTS + 1):
        read(file)
        file = services.reread_file(as_bob, file=file, reading={})
    services.requeue_stale()
    file.refresh_from_db()
    assert file.state == "uploaded"
