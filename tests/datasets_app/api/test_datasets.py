"""Data sets, files and recipes by REST."""

from __future__ import annotations

import pytest

from datasets_app import recipes
from datasets_app.models import Dataset, DatasetFile
from gptstudio.audit.models import AuditEvent
from tests.worlds import make_dataset

pytestmark = pytest.mark.django_db


def test_a_data_set_is_made_read_changed_and_put_away(call) -> None:
    made = call("post", "/datasets", {"name": "support"})
    assert made.status_code == 201 and set(made.json()) == {"id", "name", "mapping", "created_at"}
    path = f"/datasets/{made.json()['id']}"
    changed = call("patch", path, {"mapping": {"prompt": "a", "completion": "b", "layout": "prompt_completion"}})
    assert changed.json()["mapping"]["prompt"] == "a"
    assert call("patch", path, {"mapping": []}).json()["param"] == "mapping"
    assert call("get", "/datasets").json()["data"][0]["name"] == "support"
    assert call("delete", path).status_code == 204
    assert call("get", path).status_code == 404 and call("get", "/datasets").json()["data"] == []


def test_lists_come_in_pages(call, as_alice) -> None:
    made = [make_dataset(as_alice, name=f"set {number}")[0].id for number in range(5)]
    first = call("get", "/datasets?limit=3").json()
    rest = call("get", f"/datasets?limit=3&after={first['next']}").json()
    assert [each["id"] for each in [*first["data"], *rest["data"]]] == sorted(made, reverse=True)
    assert rest["next"] is None


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 200}])
def test_a_data_set_without_a_good_name_is_refused(call, body) -> None:
    answer = call("post", "/datasets", body)
    assert answer.status_code == 400 and answer.json()["errors"][0]["param"] == "name"
    assert not Dataset.objects.exists()


def test_a_file_is_uploaded_as_the_plain_body(call, as_alice) -> None:
    dataset, _ = make_dataset(as_alice)
    path, content = f"/datasets/{dataset.id}/files", b"question,answer\n" + b"a,b\n" * 500_000
    answer = call("post", f"{path}?name=more.csv", data=content, content_type="application/octet-stream")
    assert answer.status_code == 201, answer.json()
    file = DatasetFile.objects.get(id=answer.json()["id"])
    assert (file.name, file.bytes, file.state) == ("more.csv", len(content), "uploaded")
    assert file.path.read_bytes() == content
    nameless = call("post", path, data=content, content_type="application/octet-stream")
    assert (nameless.status_code, nameless.json()["param"]) == (400, "name")
    empty = call("post", f"{path}?name=a.csv", data=b"", content_type="text/csv")
    assert empty.status_code == 400 and "empty" in empty.json()["title"]


def test_a_file_is_uploaded_as_a_form(call, as_alice) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    dataset, _ = make_dataset(as_alice)
    answer = call("post", f"/datasets/{dataset.id}/files", data={"file": SimpleUploadedFile("b.csv", b"q,a\n1,2\n")})
    assert answer.status_code == 201 and answer.json()["name"] == "b.csv"
    assert call("post", f"/datasets/{dataset.id}/files", data={"other": "x"}).json()["param"] == "file"


def test_what_was_found_in_a_file_and_reading_it_again(call, as_alice) -> None:
    dataset, file = make_dataset(as_alice)
    path = f"/datasets/{dataset.id}/files/{file.id}"
    found = call("get", f"{path}/detect")
    assert found.status_code == 200 and found.json()["detection"]["rows"] == 101
    assert found.json()["detection"]["preview"] == []
    shown = call("get", f"{path}/detect?reveal_rows=true").json()["detection"]["preview"]
    assert shown[0]["answer"] == "On its way."
    assert AuditEvent.objects.filter(action="file.rows_shown", subject_id=file.id).count() == 1
    again = call("post", f"{path}/detect", {"encoding": "cp1252"})
    assert again.status_code == 202 and again.json()["state"] == "uploaded" and again["Retry-After"] == "1"
    assert DatasetFile.objects.get().reading == {"encoding": "cp1252"}
    assert call("get", f"{path}/detect").status_code == 202
    assert call("delete", path).status_code == 204 and call("get", path).status_code == 404


def test_a_file_is_found_in_its_own_data_set_only(call, as_alice) -> None:
    _, file = make_dataset(as_alice)
    other, _ = make_dataset(as_alice, name="other")
    assert call("get", f"/datasets/{other.id}/files/{file.id}").status_code == 404


def test_the_catalogue_names_every_step_with_options_and_a_reason(call) -> None:
    steps = call("get", "/recipes/steps").json()["data"]
    assert [step["kind"] for step in steps] == list(recipes.STEP_KINDS)
    assert all(step["title"] and step["why"] for step in steps)
    split = next(step for step in steps if step["kind"] == "split")
    assert {"train", "validation", "test", "seed"} <= {option["name"] for option in split["options"]}


def test_a_preset_passes_the_check_and_a_wrong_recipe_is_explained(call) -> None:
    for preset in call("get", "/recipes/presets").json()["data"]:
        answer = call("post", "/recipes/check", {"body": preset["recipe"]})
        assert answer.status_code == 200 and answer.json()["hides_personal_data"]
    wrong = call("post", "/recipes/check", {"body": {"steps": [{"kind": "magic"}]}})
    assert wrong.status_code == 400 and "magic" in wrong.json()["title"]


def test_a_recipe_is_kept_changed_and_put_away(call) -> None:
    body = {"name": "Ours", "body": recipes.default_recipe()}
    made = call("post", "/recipes", body)
    assert made.status_code == 201
    assert call("post", "/recipes", body).status_code == 409
    path = f"/recipes/{made.json()['id']}"
    assert call("put", path, {**body, "name": "Theirs"}).json()["name"] == "Theirs"
    assert [each["name"] for each in call("get", "/recipes").json()["data"]] == ["Theirs"]
    assert call("delete", path).status_code == 204 and call("get", path).status_code == 404
