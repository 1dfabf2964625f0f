"""SQL that is made once: rows are read each time, objects are made again only where rows differ."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from gptstudio.accounts.models import ApiKey, User
from gptstudio.core.statements import Reading, execute, insert

pytestmark = pytest.mark.django_db
BY_HASH = Reading(lambda digest: ApiKey.objects.select_related("workspace").filter(hash=digest), str)


@pytest.fixture
def key(workspace) -> ApiKey:
    return ApiKey.objects.create(workspace=workspace, name="a", prefix="p", hash="h", scopes=["chat"])


def test_an_object_is_made_once_and_again_when_its_row_or_a_joined_row_changes(key, django_assert_num_queries):
    first = BY_HASH.objects("h")
    assert [each.id for each in first] == [key.id] and first[0].scopes == ["chat"]
    with django_assert_num_queries(1):
        assert BY_HASH.objects("h")[0] is first[0] and first[0].workspace.name
    ApiKey.objects.filter(id=key.id).update(revoked_at=timezone.now())
    assert BY_HASH.objects("h")[0].revoked_at is not None
    key.workspace.name = "Another name"
    key.workspace.save()
    assert BY_HASH.objects("h")[0].workspace.name == "Another name"


def test_what_is_not_there_is_not_remembered_as_missing(workspace):
    assert BY_HASH.objects("later") == []
    ApiKey.objects.create(workspace=workspace, name="a", prefix="p", hash="later")
    assert len(BY_HASH.objects("later")) == 1


def test_a_row_that_changes_between_the_two_readings_is_given_but_not_kept(key):
    changed = []

    def query(digest: str):
        if digest == "h" and not changed:
            changed.append(ApiKey.objects.filter(id=key.id).update(name="between"))
        return ApiKey.objects.filter(hash=digest)

    reading = Reading(query, str)
    assert reading.objects("h")[0].name == "between"
    ApiKey.objects.filter(id=key.id).update(name="a")
    assert reading.objects("h")[0].name == "a"


def test_values_stand_where_the_query_has_them_also_moments_and_constants(key):
    reading = Reading(
        lambda name, at, digest: ApiKey.objects.filter(
            Q(name=name) | Q(name="constant"), created_at__lte=at, hash=digest
        ).values_list("id"),
        str,
        datetime,
        str,
    )
    now = timezone.now()
    assert reading.rows("a", now, "h") == ((key.id,),)
    assert reading.rows("a", now - timedelta(hours=1), "h") == ()
    assert reading.rows("b", now, "h") == () == reading.rows("a", now, "g")


def test_an_inserted_row_is_what_saving_it_would_have_left(db):
    row = User(email="a@example.org", name="Ä'; --", password="!")
    insert(row)
    found = User.objects.get(email="a@example.org")
    assert (found.id, found.name, found.is_active) == (row.id, "Ä'; --", True)
    assert found.date_joined == row.date_joined


def test_a_statement_tells_how_many_rows_it_changed(key):
    rename = "UPDATE accounts_apikey SET name = %s WHERE hash = %s"
    assert (execute(rename, ["b", "h"]), execute(rename, ["b", "other"])) == (1, 0)
