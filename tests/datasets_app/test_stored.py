"""Uploads and versions in a bucket: made on one machine, read on another, erased on both and in the bucket."""

from __future__ import annotations

import pytest

from datasets_app import recipes, services, tasks
from datasets_app.contents import rows as contents
from datasets_app.models import DatasetFile, DatasetVersion
from gptstudio.core import storage
from gptstudio.core.errors import Unavailable

JANE = b"Jane Xanthippe"

pytestmark = pytest.mark.django_db


@pytest.fixture
def homes(tmp_path):
    return [tmp_path / name for name in ("a", "b", "c")]


def tickets(rows: int = 30) -> list[bytes]:
    lines = ["question,answer"]
    for number in range(rows):
        words = " ".join(
            f"{letter}{number * factor % 997}" for letter, factor in zip("abcd", (3, 5, 7, 11), strict=True)
        )
        lines.append(
            f"How does {JANE.decode() if number == 3 else 'anybody'} find {words}?,Look under {number}{words}."
        )
    return ["\n".join(lines).encode()]


@pytest.fixture
def version(bucket, homes, dataset, as_bob):
    """Asked for; its file was uploaded on machine A."""
    bucket.on(homes[0])
    services.add_file(as_bob, dataset=dataset, name="tickets.csv", chunks=tickets())
    recipe = recipes.default_recipe()
    recipes.step(recipe, "tokens")["enabled"] = False
    recipes.step(recipe, "personal_data")["enabled"] = False
    return services.create_version(as_bob, dataset=dataset, recipe=recipe)


def fresh(version: DatasetVersion) -> DatasetVersion:
    return DatasetVersion.objects.select_related("dataset").get(id=version.id)


def test_a_version_is_built_where_the_upload_never_was_and_read_on_a_third_machine(bucket, homes, version) -> None:
    bucket.on(homes[1])
    tasks.build_version(version.id)
    made = fresh(version)
    assert made.state == "ready", made.error
    bucket.on(homes[2])
    assert not (homes[2] / "versions").exists()
    found = contents.rows_of(made, [("train", 0)])
    assert len(found) == 1 and (homes[2] / "versions" / made.id / "report.json").is_file()


def test_while_the_bucket_is_away_steps_end_with_its_name_and_go_on_afterwards(
    bucket, homes, version, dataset, as_bob, as_alice
) -> None:
    bucket.server.stop()
    with pytest.raises(Unavailable, match=f"The bucket {bucket.name} .* does not answer"):
        services.add_file(as_bob, dataset=dataset, name="more.csv", chunks=tickets())
    assert DatasetFile.objects.count() == 1
    tasks.build_version(version.id)
    failed = fresh(version)
    assert failed.state == "failed" and failed.error["code"] == "unavailable"
    assert bucket.name in failed.error["message"] and "Try again" in failed.error["fix"]

    bucket.server.start()
    services.retry_version(as_bob, version=failed)
    tasks.build_version(version.id)
    made = fresh(version)
    assert made.state == "ready"

    bucket.server.stop()
    with pytest.raises(Unavailable, match=bucket.name):
        services.erase_version(as_alice, version=made, reason="asked by her")
    assert fresh(version).state == "ready" and (homes[0] / "versions" / made.id).is_dir()


def test_an_erased_person_is_gone_from_the_bucket_and_from_other_machines(bucket, homes, version, as_alice) -> None:
    tasks.build_version(version.id)
    made, file = fresh(version), DatasetFile.objects.get()
    assert JANE in file.path.read_bytes() and JANE in bucket.everything()
    bucket.on(homes[1])
    assert file.path.is_file() and made.folder.is_dir()
    bucket.on(homes[0])
    services.erase_version(as_alice, version=made, reason="asked by her")
    services.erase_file(as_alice, file=file, reason="asked by her")
    assert bucket.held() == []
    assert not (homes[0] / "versions" / made.id).exists() and not file.path.exists()

    bucket.on(homes[1])
    assert storage.tidy() == 2
    assert not list((homes[1] / "versions").iterdir()) and not list((homes[1] / "uploads").iterdir())
    assert storage.tidy() == storage.tidy_bucket() == 0


def test_what_a_bucket_kept_that_went_away_in_that_moment_goes_with_the_next_look(
    bucket, homes, version, as_alice
) -> None:
    tasks.build_version(version.id)
    made = fresh(version)
    services.erase_version(as_alice, version=made, reason="asked by her")
    (homes[0] / "versions" / made.id).mkdir()
    (homes[0] / "versions" / made.id / "train.parquet").write_bytes(JANE)
    storage.keep(made.stored)  # as if it had not been deleted
    assert storage.tidy_bucket() == 1
    assert [key for key in bucket.held() if key.startswith("versions/")] == []
    assert [key for key in bucket.held() if key.startswith("uploads/")]


def test_bytes_that_another_upload_has_stay(bucket, homes, version, dataset, as_alice) -> None:
    first = DatasetFile.objects.get()
    again = services.add_file(as_alice, dataset=dataset, name="again.csv", chunks=tickets())
    services.erase_file(as_alice, file=first, reason="asked by her")
    assert storage.tidy() == storage.tidy_bucket() == 0
    bucket.on(homes[1])
    assert again.path.read_bytes() == tickets()[0]


def test_parts_of_an_upload_may_come_to_several_machines(bucket, homes, dataset, as_bob) -> None:
    content = tickets()[0]
    upload = services.start_upload(
        as_bob, workspace_id=dataset.workspace_id, name="tickets.csv", size=len(content), dataset=dataset
    )
    parts = []
    for home, half in zip(homes, (content[:500], content[500:]), strict=False):
        bucket.on(home)
        parts.append(services.add_part(as_bob, upload=upload, chunks=[half]).id)
    bucket.on(homes[2])
    done = services.complete_upload(as_bob, upload=upload, part_ids=parts)
    assert done.file.path.read_bytes() == content
    assert bucket.held() == [f"uploads/{done.file.digest}"]
    bucket.on(homes[0])
    assert storage.tidy() == 1 and not (homes[0] / "parts" / upload.id).exists()


def test_a_worker_that_waits_for_the_bucket_keeps_its_lease(bucket, homes, version, monkeypatch) -> None:
    """Beats come while a copy travels, however long it takes."""
    from gptstudio.core.storage import bucket as objects
    from gptstudio.core.storage import heartbeat

    put, renewed = objects.put_file, []
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.01)

    def slow(*arguments, **named) -> None:
        while not renewed:
            pass
        put(*arguments, **named)

    monkeypatch.setattr(objects, "put_file", slow)
    with storage.beating(lambda: renewed.append(1)):
        storage.keep(DatasetFile.objects.get().stored)
    assert renewed
