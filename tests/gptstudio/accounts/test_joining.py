"""People of a domain who come by themselves: with a verified address there, as viewers, and not when they are blocked."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress

from gptstudio.accounts import selectors, services
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid, NotAllowed


def verified(user, email: str) -> None:
    EmailAddress.objects.create(user=user, email=email, verified=True)


@pytest.fixture
def opened(as_alice, alice, workspace) -> None:
    """Care is open to people at care.example."""
    verified(alice, "alice@care.example")
    services.set_join_domains(as_alice, workspace=workspace, domains=["@Care.Example", "care.example", ""])


@pytest.fixture
def dora(db):
    return services.create_user(email="dora@care.example")


def test_a_verified_address_lets_in_as_viewer(opened, dora, workspace) -> None:
    with pytest.raises(NotAllowed):
        services.join_workspace(user=dora, workspace_id=workspace.id)
    verified(dora, "dora@care.example")
    assert list(selectors.workspaces_to_join(dora)) == [workspace]
    assert services.join_workspace(user=dora, workspace_id=workspace.id).role == "viewer"
    assert not selectors.workspaces_to_join(dora)


def test_an_address_elsewhere_or_below_the_domain_does_not(opened, dora, workspace) -> None:
    verified(dora, "dora@sub.care.example")
    verified(dora, "dora@notcare.example")
    assert not selectors.workspaces_to_join(dora)


def test_a_blocked_person_stays_out(opened, dora, as_alice, workspace) -> None:
    verified(dora, "dora@care.example")
    services.block_member(as_alice, membership=services.join_workspace(user=dora, workspace_id=workspace.id))
    with pytest.raises(NotAllowed):
        services.join_workspace(user=dora, workspace_id=workspace.id)


def test_nobody_claims_a_domain_where_they_have_no_verified_address(as_alice, as_charlie, charlie, workspace) -> None:
    other = selectors.workspace(as_charlie.workspace_id)
    with pytest.raises(Invalid, match="no verified address at care.example"):
        services.set_join_domains(as_charlie, workspace=other, domains=["care.example"])
    with pytest.raises(NotAllowed):
        services.set_join_domains(as_charlie, workspace=workspace, domains=[])


@pytest.mark.parametrize(
    ("domain", "said"),
    [("gmail.com", "Anybody gets"), ("not a domain", "is no domain"), ("a@b.example", "is no domain")],
)
def test_what_cannot_be_a_domain_of_ones_own_is_refused(as_alice, alice, workspace, domain, said) -> None:
    verified(alice, f"alice@{domain}")
    with pytest.raises(Invalid, match=said):
        services.set_join_domains(as_alice, workspace=workspace, domains=[domain])


def test_a_domain_that_stands_may_stay_and_each_change_is_told_once(opened, as_alice, alice, workspace) -> None:
    EmailAddress.objects.all().delete()
    assert services.set_join_domains(as_alice, workspace=workspace, domains=["care.example"]) == ["care.example"]
    assert services.set_join_domains(as_alice, workspace=workspace, domains=[]) == []
    lines = AuditEvent.objects.filter(action="workspace.join_domains").order_by("id")
    assert [line.data["to"] for line in lines] == [["care.example"], []]
