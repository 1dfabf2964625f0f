"""Keys: shown once, kept as a hash, dead once revoked or expired."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import ApiKey
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound


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


@pytest.mark.parametrize("name", ["a\nb", "a\r\nBcc: b", "a\tb", "a\x00b", "a\u2028b", "a\u202eb"])
def test_a_name_that_cannot_be_seen_on_one_line_is_refused_when_made_and_when_changed(
    issued, as_alice, workspace, name
) -> None:
    with pytest.raises(Invalid, match="line breaks") as refused:
        services.issue_key(as_alice, workspace_id=workspace.id, name=name, scopes=["chat"])
    assert refused.value.param == "name" and refused.value.fix
    with pytest.raises(Invalid, match="line breaks"):
        services.update_key(as_alice, key=issued[0], name=name)
    assert [each.name for each in ApiKey.objects.all()] == ["shop"]


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


def test_after_a_rotation_both_secrets_open_the_key_until_the_chosen_time(issued, as_alice) -> None:
    key, old = issued
    until = timezone.now() + timedelta(hours=1)
    rotated, new = services.rotate_key(as_alice, key=key, old_works_until=until)
    assert rotated.id == key.id and new != old and rotated.has_two_secrets
    assert selectors.live_key(old) == selectors.live_key(new) == key
    ApiKey.objects.filter(id=key.id).update(previous_until=timezone.now() - timedelta(seconds=1))
    assert selectors.live_key(old) is None and selectors.live_key(new) == key
    told = AuditEvent.objects.get(action="key.rotated")
    assert told.data["prefix"] == rotated.prefix and new not in str(told.data)


def test_a_second_rotation_ends_the_oldest_secret_and_one_without_a_time_ends_all_others(issued, as_alice) -> None:
    key, first = issued
    until = timezone.now() + timedelta(hours=1)
    _, second = services.rotate_key(as_alice, key=key, old_works_until=until)
    _, third = services.rotate_key(as_alice, key=key, old_works_until=until)
    assert [selectors.live_key(each) for each in (first, second, third)] == [None, key, key]
    _, fourth = services.rotate_key(as_alice, key=key)
    assert [selectors.live_key(each) for each in (second, third, fourth)] == [None, None, key]


def test_revoking_ends_both_secrets_and_nothing_can_be_rotated_or_changed_then(issued, as_alice) -> None:
    key, old = issued
    _, new = services.rotate_key(as_alice, key=key, old_works_until=timezone.now() + timedelta(hours=1))
    services.revoke_key(as_alice, key=key)
    assert selectors.live_key(old) is None and selectors.live_key(new) is None
    with pytest.raises(Conflict):
        services.rotate_key(as_alice, key=key)
    with pytest.raises(Conflict):
        services.update_key(as_alice, key=key, budget_micro=1)


def test_two_secrets_for_longer_than_a_month_are_refused(issued, as_alice) -> None:
    with pytest.raises(Invalid, match="30 days"):
        services.rotate_key(as_alice, key=issued[0], old_works_until=timezone.now() + timedelta(days=31))


def test_limits_are_changed_and_taken_away_with_one_line_in_the_log(issued, as_alice) -> None:
    key = services.update_key(as_alice, key=issued[0], tokens_per_minute=100, allowed_models=["b", "a", "a"])
    assert (key.tokens_per_minute, key.allowed_models) == (100, ["a", "b"])
    assert key.may_ask("a") and not key.may_ask("c")
    key = services.update_key(as_alice, key=key, tokens_per_minute=None, allowed_models=[])
    assert key.tokens_per_minute is None and key.may_ask("c")
    services.update_key(as_alice, key=key, tokens_per_minute=None)
    assert AuditEvent.objects.filter(action="key.changed").count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens_per_minute": 0},
        {"parallel_requests": -1},
        {"budget_micro": -1},
        {"allowed_models": ["a\nb"]},
        {"name": ""},
    ],
)
def test_a_limit_that_cannot_be_is_refused_by_name(issued, as_alice, wrong) -> None:
    with pytest.raises(Invalid) as refused:
        services.update_key(as_alice, key=issued[0], **wrong)
    assert refused.value.param in wrong


def test_nobody_gets_a_key_that_may_do_more_than_they_may(as_alice, workspace, issued) -> None:
    maker, _ = services.issue_key(as_alice, workspace_id=workspace.id, name="m", scopes=["keys:write", "chat"])
    program = selectors.actor_of_key(maker)
    services.issue_key(program, workspace_id=workspace.id, name="n", scopes=["chat"])
    with pytest.raises(NotAllowed, match="files:write"):
        services.issue_key(program, workspace_id=workspace.id, name="n", scopes=["chat", "files:write"])
    with pytest.raises(NotAllowed, match="files:read"):
        services.rotate_key(program, key=issued[0])
