"""Roles and scopes: what each may do, and that nobody may do it elsewhere."""

from __future__ import annotations

import pytest

from gptstudio.accounts import policies
from gptstudio.accounts.models import Role
from gptstudio.accounts.policies import Actor
from gptstudio.core.errors import NotAllowed


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, "datasets.view", "datasets.edit"),
        (Role.EDITOR, "datasets.edit", "training.edit"),
        (Role.TRAINER, "training.edit", "reviews.decide"),
        (Role.REVIEWER, "reviews.decide", "datasets.edit"),
        (Role.ADMIN, "members.edit", "no.such.action"),
    ],
)
def test_a_role_ends_where_the_next_begins(role, may, may_not) -> None:
    assert may in policies.ROLES[role]
    assert may_not not in policies.ROLES[role]


def test_every_role_may_at_least_look() -> None:
    assert all(actions >= policies.VIEW for actions in policies.ROLES.values())
    assert set(policies.ROLES) == set(Role.values)


def test_every_scope_has_a_hint_and_allows_something_an_admin_may() -> None:
    assert set(policies.SCOPES) == set(policies.SCOPE_HINTS)
    assert all(actions and actions <= policies.EVERYTHING for actions in policies.SCOPES.values())


def test_no_scope_lets_a_program_change_settings() -> None:
    programs_may = frozenset().union(*policies.SCOPES.values())
    assert "settings.edit" not in programs_may


def test_an_action_in_another_workspace_is_refused() -> None:
    admin = Actor("user", "user_1", "a@b", "ws_1", actions=policies.EVERYTHING, role="admin")
    policies.require(admin, "datasets.edit", workspace_id="ws_1")
    with pytest.raises(NotAllowed):
        policies.require(admin, "datasets.edit", workspace_id="ws_2")


def test_a_refusal_names_the_role_or_the_key() -> None:
    viewer = Actor("user", "user_1", "a@b", "ws_1", actions=policies.VIEW, role="viewer")
    with pytest.raises(NotAllowed, match=r"Your role viewer does not allow this \(datasets.edit\)"):
        policies.require(viewer, "datasets.edit", workspace_id="ws_1")
    with pytest.raises(NotAllowed, match="Your key does not allow this"):
        policies.require(Actor("key", "key_1", "k", "ws_1"), "datasets.edit", workspace_id="ws_1")
