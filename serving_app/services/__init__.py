"""Writing deployments, requests, usage, and what is known of engines; asking engines."""

from serving_app.engine_client import EngineAway, EngineBroke, EngineRefused
from serving_app.services.admission import Asked, admit, choose
from serving_app.services.admitted import Admission, Caller
from serving_app.services.alerts import create_rule, remove_rule
from serving_app.services.checking import check_engines
from serving_app.services.comparison import Comparison, engine_minus_ledger, engine_usage_of
from serving_app.services.daily import rebuild_usage, rebuild_workspace, sum_up_usage
from serving_app.services.deployments import create_deployment, retire_deployment, roll_back, update_deployment
from serving_app.services.feedback import export_corrections, give_feedback
from serving_app.services.forgetting import drop_old_said, erase_said
from serving_app.services.gateway import answer, stream
from serving_app.services.guardrails import guard_for, set_guardrails
from serving_app.services.judging import judged
from serving_app.services.keeping import delete_texts, drop_old_texts, keep_texts, read_texts
from serving_app.services.limits import RateExceeded
from serving_app.services.moderation import moderate
from serving_app.services.prices import set_price, withdraw_price
from serving_app.services.reconciling import Reconciler
from serving_app.services.replicas import forget_seen
from serving_app.services.slack import answer_question, claim_question, take_event
from serving_app.services.stops import lift_stop, stop_deployment
from serving_app.services.trips import in_ledger_thread, in_report_thread, in_strangers_thread
from serving_app.services.usage import release, reserve, settle
from serving_app.slack_client import is_signed as is_signed_by_slack

__all__ = [
    "Admission",
    "Asked",
    "Caller",
    "Comparison",
    "EngineAway",
    "EngineBroke",
    "EngineRefused",
    "RateExceeded",
    "Reconciler",
    "admit",
    "answer",
    "answer_question",
    "check_engines",
    "choose",
    "claim_question",
    "create_deployment",
    "create_rule",
    "delete_texts",
    "drop_old_said",
    "drop_old_texts",
    "engine_minus_ledger",
    "engine_usage_of",
    "erase_said",
    "export_corrections",
    "forget_seen",
    "give_feedback",
    "guard_for",
    "in_ledger_thread",
    "in_report_thread",
    "in_strangers_thread",
    "is_signed_by_slack",
    "judged",
    "keep_texts",
    "lift_stop",
    "moderate",
    "read_texts",
    "rebuild_usage",
    "rebuild_workspace",
    "release",
    "remove_rule",
    "reserve",
    "retire_deployment",
    "roll_back",
    "set_guardrails",
    "set_price",
    "settle",
    "stop_deployment",
    "stream",
    "sum_up_usage",
    "take_event",
    "update_deployment",
    "withdraw_price",
]
