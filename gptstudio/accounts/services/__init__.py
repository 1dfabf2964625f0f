"""Writing people, workspaces and keys."""

from gptstudio.accounts.services.bootstrap import bootstrap, bootstrap_key
from gptstudio.accounts.services.budgets import set_budget
from gptstudio.accounts.services.clients import drop_expired_tokens
from gptstudio.accounts.services.connections import end_connection
from gptstudio.accounts.services.factors import drop_lost_factors, seal_factors
from gptstudio.accounts.services.invitations import (
    accept_invitation,
    check_open,
    invite,
    mail_invitation,
    refusal,
    renew_invitation,
    withdraw_invitation,
)
from gptstudio.accounts.services.joining import join_workspace, set_join_domains
from gptstudio.accounts.services.keys import issue_key, revoke_key, rotate_key, update_key
from gptstudio.accounts.services.members import (
    add_member,
    block_member,
    change_role,
    leave_workspace,
    remove_member,
    unblock_member,
)
from gptstudio.accounts.services.notices import (
    add_destination,
    choose_events,
    remove_destination,
    send_again,
    send_test,
)
from gptstudio.accounts.services.pausing import LONGEST as LONGEST_REASON
from gptstudio.accounts.services.pausing import pause_key, resume_key
from gptstudio.accounts.services.sign_ins import end_session, tell, tell_of_lock
from gptstudio.accounts.services.workspaces import (
    choose_time_zone,
    create_user,
    create_workspace,
    lock_rules,
    raise_rules_epoch,
    set_release_policy,
    spend_sign_in,
)

__all__ = [
    "LONGEST_REASON",
    "accept_invitation",
    "add_destination",
    "add_member",
    "block_member",
    "bootstrap",
    "bootstrap_key",
    "change_role",
    "check_open",
    "choose_events",
    "choose_time_zone",
    "create_user",
    "create_workspace",
    "drop_expired_tokens",
    "drop_lost_factors",
    "end_connection",
    "end_session",
    "invite",
    "issue_key",
    "join_workspace",
    "leave_workspace",
    "lock_rules",
    "mail_invitation",
    "pause_key",
    "raise_rules_epoch",
    "refusal",
    "remove_destination",
    "remove_member",
    "renew_invitation",
    "resume_key",
    "revoke_key",
    "rotate_key",
    "seal_factors",
    "send_again",
    "send_test",
    "set_budget",
    "set_join_domains",
    "set_release_policy",
    "spend_sign_in",
    "tell",
    "tell_of_lock",
    "unblock_member",
    "update_key",
    "withdraw_invitation",
]
