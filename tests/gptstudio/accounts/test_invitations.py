"""An invitation lets one address in once, within its time; whoever guesses learns nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from gptstudio.accounts import selectors, services
from gptstudio.accounts.models import Invitation
from gptstudio.accounts.models.invitation import SALT
from gptstudio.accounts.services.invitations import MOST_A_DAY, MOST_LINKS
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMuch


@pytest.fixture
def dora(db):
    """Somebody with an account and no workspace."""
    return services.create_user(email="dora@care.example", name="Dora")


@pytest.fixture
def invitation(as_alice, workspace) -> Invitation:
    return services.invite(as_alice, workspace_id=workspace.id, email=" Dora@Care.example ", role="reviewer")


def test_who_is_invited_becomes_a_member_with_the_role_and_may_open_the_console(invitation, dora, workspace) -> None:
    joined = services.accept_invitation(user=dora, token=invitation.token)
    assert (joined.workspace, joined.role) == (workspace, "reviewer")
    dora.refresh_from_db()
    assert dora.is_staff
    lines = AuditEvent.objects.filter(action__in=("invitation.made", "member.joined")).order_by("id")
    assert [(line.action, line.subject_label) for line in lines] == [
        ("invitation.made", "dora@care.example"),
        ("member.joined", "dora@care.example"),
    ]


def test_a_link_works_once(invitation, dora, as_alice, workspace) -> None:
    services.accept_invitation(user=dora, token=invitation.token)
    services.remove_member(as_alice, membership=selectors.person_of(workspace.id, dora.id))
    with pytest.raises(Conflict, match="was used already. Ask alice@care.example"):
        services.accept_invitation(user=dora, token=invitation.token)


def test_a_link_ends_after_seven_days(invitation, dora) -> None:
    assert timedelta(days=6) < invitation.expires_at - timezone.now() <= timedelta(days=7)
    Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(Conflict, match="expired on"):
        services.accept_invitation(user=dora, token=invitation.token)


def test_a_withdrawn_invitation_says_so_and_is_not_withdrawn_twice(invitation, dora, as_alice) -> None:
    services.withdraw_invitation(as_alice, invitation=invitation)
    with pytest.raises(Conflict, match="was withdrawn"):
        services.accept_invitation(user=dora, token=invitation.token)
    with pytest.raises(Conflict, match="withdrawn already. Invite them anew"):
        services.withdraw_invitation(as_alice, invitation=invitation)


def test_a_new_link_ends_the_one_before_and_begins_the_time_anew(invitation, dora, as_alice) -> None:
    old = invitation.token
    Invitation.objects.update(expires_at=timezone.now())
    renewed = services.renew_invitation(as_alice, invitation=invitation)
    with pytest.raises(NotFound):
        services.accept_invitation(user=dora, token=old)
    assert services.accept_invitation(user=dora, token=renewed.token).role == "reviewer"


def test_somebody_else_who_holds_the_link_is_told_and_not_let_in(invitation, charlie, workspace) -> None:
    with pytest.raises(NotAllowed, match=r"for dora@care.example, and you are signed in as charlie@else.example"):
        services.accept_invitation(user=charlie, token=invitation.token)
    assert selectors.open_invitation(invitation.token) == invitation


def test_a_second_address_counts_once_it_is_verified(invitation, charlie, workspace) -> None:
    from allauth.account.models import EmailAddress

    address = EmailAddress.objects.create(user=charlie, email="dora@care.example", verified=False)
    with pytest.raises(NotAllowed):
        services.accept_invitation(user=charlie, token=invitation.token)
    address.set_verified()
    assert services.accept_invitation(user=charlie, token=invitation.token).user == charlie


def test_members_and_blocked_people_are_told_what_they_are(invitation, dora, as_alice, workspace) -> None:
    joined = services.add_member(as_alice, workspace_id=workspace.id, user=dora, role="viewer")
    with pytest.raises(Conflict, match="You are a member of Care already"):
        services.accept_invitation(user=dora, token=invitation.token)
    services.block_member(as_alice, membership=joined)
    with pytest.raises(NotAllowed, match="You are blocked in Care"):
        services.accept_invitation(user=dora, token=invitation.token)


@pytest.mark.parametrize("wrong", ["", "x", "a:b:c", "\x00", "inv_1:1"])
def test_a_guessed_link_is_not_found(db, wrong) -> None:
    with pytest.raises(NotFound, match="This invitation link is not good"):
        selectors.invitation_by_token(wrong)


def test_a_signature_made_for_something_else_opens_nothing(invitation) -> None:
    with pytest.raises(NotFound):
        selectors.invitation_by_token(signing.dumps([invitation.id, invitation.link], salt=f"{SALT}.other"))


def test_members_and_those_invited_already_are_not_invited_again(invitation, as_alice, bob, workspace) -> None:
    for email, said in (("BOB@care.example", "a member already"), ("dora@care.example", "invited already")):
        with pytest.raises(Conflict, match=said):
            services.invite(as_alice, workspace_id=workspace.id, email=email, role="viewer")
    services.block_member(as_alice, membership=selectors.person_of(workspace.id, bob.id))
    with pytest.raises(Conflict, match="blocked here"):
        services.invite(as_alice, workspace_id=workspace.id, email="bob@care.example", role="viewer")


def test_what_is_no_address_is_refused(as_alice, workspace) -> None:
    with pytest.raises(Invalid, match="no e-mail address"):
        services.invite(as_alice, workspace_id=workspace.id, email="dora\n@care.example", role="viewer")


def test_only_admins_invite_renew_and_withdraw(as_bob, as_charlie, invitation, workspace) -> None:
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            services.invite(actor, workspace_id=workspace.id, email="eve@care.example", role="viewer")
        for act in (services.renew_invitation, services.withdraw_invitation):
            with pytest.raises(NotAllowed):
                act(actor, invitation=invitation)


def test_invitations_and_links_are_bounded(as_alice, invitation, workspace) -> None:
    for _ in range(MOST_LINKS - 1):
        invitation = services.renew_invitation(as_alice, invitation=invitation)
    with pytest.raises(TooMuch, match="was sent 5 links"):
        services.renew_invitation(as_alice, invitation=invitation)
    Invitation.objects.bulk_create(
        Invitation(workspace=workspace, email=f"p{number}@care.example", role="viewer", expires_at=timezone.now())
        for number in range(MOST_A_DAY)
    )
    with pytest.raises(TooMuch, match="within a day"):
        services.invite(as_alice, workspace_id=workspace.id, email="eve@care.example", role="viewer")


def test_the_link_is_mailed_where_mail_is_set_up(invitation, settings, mailoutbox) -> None:
    assert not services.mail_invitation(invitation, link="https://studio.example/invitations/x")
    settings.EMAIL_URL = "smtp://mail.example"
    invitation.workspace.name = "Care\nBcc: eve@else.example"
    assert services.mail_invitation(invitation, link="https://studio.example/invitations/x")
    (letter,) = mailoutbox
    assert letter.to == ["dora@care.example"]
    assert letter.subject == "You are invited to Care Bcc: eve@else.example"
    assert "https://studio.example/invitations/x" in letter.body


def test_a_mail_server_that_is_away_is_no_breakdown(invitation, settings) -> None:
    settings.EMAIL_URL, settings.EMAIL_BACKEND = "smtp://here", "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert not services.mail_invitation(invitation, link="https://studio.example/invitations/x")
