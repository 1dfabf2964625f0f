"""Deployments and engines, guardrails, requests, the usage ledger with its sums and prices, samples, alert rules, Slack."""

from serving_app.models.alert import AlertKind, AlertRule
from serving_app.models.daily import ModelPrice, UsageDaily
from serving_app.models.deployment import Deployment, DeploymentRevision, DeploymentStop
from serving_app.models.feedback import Feedback, Rating
from serving_app.models.guardrails import Guardrails
from serving_app.models.kept import KeptTexts
from serving_app.models.replica import EngineReplica, Preview
from serving_app.models.sample import ResourceSample
from serving_app.models.slack import SlackQuestion, SlackState
from serving_app.models.usage import Balance, Completion, CompletionState, UsageEvent, UsageKind

__all__ = [
    "AlertKind",
    "AlertRule",
    "Balance",
    "Completion",
    "CompletionState",
    "Deployment",
    "DeploymentRevision",
    "DeploymentStop",
    "EngineReplica",
    "Feedback",
    "Guardrails",
    "KeptTexts",
    "ModelPrice",
    "Preview",
    "Rating",
    "ResourceSample",
    "SlackQuestion",
    "SlackState",
    "UsageDaily",
    "UsageEvent",
    "UsageKind",
]
