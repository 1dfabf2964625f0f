"""Accounts elsewhere that open one here: allauth makes connections, here is how one ends."""

from __future__ import annotations

from allauth.socialaccount import signals
from allauth.socialaccount.internal.flows.connect import disconnect
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest


def end_connection(request: HttpRequest, *, account: SocialAccount, is_set_up: bool) -> None:
    """End one as allauth does; but one to a provider that is not set up any more it would look for in vain."""
    if is_set_up:
        disconnect(request, account)
        return
    account.delete()
    signals.social_account_removed.send(sender=SocialAccount, request=request, socialaccount=account)
