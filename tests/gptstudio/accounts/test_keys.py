"""Keys: shown once, kept as a hash, dead once revoked or expired."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import ApiKey
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid, NotAllowed, NotFound


@pytest.fixture
def issued(as_alice, workspace):
    return services.issue_key(as_alice, workspace_id=workspace.id, name="shop", scopes=["chat", "files:read"])


def test_a_key_opens_its_workspace_with_its_scopes_alone(issued, workspace) -> None:
    key, secret = issued
    actor = selectors.actor_of_key(selectors.live_key(secret))
    assert (actor.kind, actor.workspace_id, actor.user_id) == ("key", workspace.id, key.created_by_id)
    assert actor.may("models.use") and actor.may("datasets.view")
    assert not actor.may("datasets.edit")


def test_the_secret_is_kept_nowhere(issued) -> None:
    key, secret = issued
    row = " ".join(str(value) for value in ApiKey.objects.filter(id=key.id).values().get().values())
    told = " ".join(f"{line.data} {line.subject_label}" for line in AuditEvent.objects.all())
    assert secret.startswith("sk-studio-") and len(secret) > 50
    assert secret not in row and secret not in told
    assert key.hash == selectors.key_hash(secret) != secret


def test_two_keys_are_never_alike(as_alice, workspace) -> None:
    made = {services.issue_key(as_alice, workspace_id=workspace.id, name="n", scopes=["chat"])[1] for _ in range(5)}
    assert len(made) == 5


def test_a_wrong_secret_opens_nothing(issued) -> None:
    _key, secret = issued
    assert selectors.live_key(secret[:-1]) is None
    assert selectors.live_key("") is None
    assert selectors.live_key(issued[0].hash) is None


def test_a_revoked_key_is_dead_at_once_and_revoking_twice_is_told_once(issued, as_alice) -> None:
    key, secret = issued
    first = services.revoke_key(as_alice, key=key).revoked_at
    assert services.revoke_key(as_alice, key=key).revoked_at == first
    assert selectors.live_key(secret) is None
    assert AuditEvent.objects.filter(action="key.revoked", subject_id=key.id).count() == 1


def test_an_expired_key_is_dead(as_alice, workspace) -> None:
    soon = timezone.now() + timedelta(hours=1)
    key, secret = services.issue_key(as_alice, workspace_id=workspace.id, name="n", scopes=["chat"], expires_at=soon)
    assert selectors.live_key(secret) == key
    ApiKey.objects.filter(id=key.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert selectors.live_key(secret) is None


@pytest.mark.parametrize(("name", "scopes"), [("", ["chat"]), ("n", []), ("n", ["chat", "everything"])])
def test_a_key_without_name_or_with_strange_scopes_is_refused(as_alice, workspace, name, scopes) -> None:
    with pytest.raises(Invalid):
        services.issue_key(as_alice, workspace_id=workspace.id, name=name, scopes=scopes)
    assert not ApiKey.objects.exists()


def test_an_editor_may_not_issue_or_revoke(as_bob, issued, workspace) -> None:
    with pytest.raises(NotAllowed):
        services.issue_key(as_bob, workspace_id=workspace.id, name="n", scopes=["chat"])
    with pytest.raises(NotAllowed):
        services.revoke_key(as_bob, key=issued[0])


def test_a_stranger_neither_sees_nor_revokes_the_key(as_charlie, issued, workspace) -> None:
    with pytest.raises(NotFound):
        selectors.key_of(as_charlie.workspace_id, issued[0].id)
    with pytest.raises(NotAllowed):
        services.revoke_key(as_charlie, key=issued[0])
    with pytest.raises(NotAllowed):
        services.issue_key(as_charlie, workspace_id=workspace.id, name="n", scopes=["chat"])
