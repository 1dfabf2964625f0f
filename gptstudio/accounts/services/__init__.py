"""Writing people, workspaces and keys."""

from gptstudio.accounts.services.bootstrap import bootstrap, bootstrap_key
from gptstudio.accounts.services.budgets import set_budget
from gptstudio.accounts.services.clients import drop_expired_tokens
from gptstudio.accounts.services.keys import issue_key, revoke_key, rotate_key, update_key
from gptstudio.accounts.services.notices import (
    add_destination,
    choose_events,
    remove_destination,
    send_again,
    send_test,
)
from gptstudio.accounts.services.workspaces import (
    add_member,
    create_user,
    create_workspace,
    raise_rules_epoch,
    set_release_policy,
)

__all__ = [
    "add_destination",
    "add_member",
    "bootstrap",
    "bootstrap_key",
    "choose_events",
    "create_user",
    "create_workspace",
    "drop_expired_tokens",
    "issue_key",
    "raise_rules_epoch",
    "remove_destination",
    "revoke_key",
    "rotate_key",
    "send_again",
    "send_test",
    "set_budget",
    "set_release_policy",
    "update_key",
]
