"""Second factors when SECRET_KEY changes: sealed anew, or given up where the secret that sealed them is lost."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from gptstudio.accounts.second_factors import TYPES, opened, sealed
from gptstudio.core.errors import Conflict


@transaction.atomic
def seal_factors() -> int:
    """Seal under SECRET_KEY what is open or sealed under one before it. Returns how many were; safe to run again."""
    changed = 0
    for each in Authenticator.objects.select_for_update().filter(type__in=TYPES):
        try:
            data = sealed(each.data)
        except Conflict:  # of a secret that is not here: whoever signs in with it is told
            continue
        if data != each.data:
            each.data = data
            each.save(update_fields=["data"])
            changed += 1
    return changed


@transaction.atomic
def drop_lost_factors() -> int:
    """Take away second factors that no secret known here opens, for their owners could not sign in. Returns how many."""
    lost = []
    for each in Authenticator.objects.filter(type__in=TYPES):
        try:
            opened(each.data)
        except Conflict:
            lost.append(each.pk)
    Authenticator.objects.filter(pk__in=lost).delete()
    return len(lost)
