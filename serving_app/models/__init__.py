"""EngineReplica, Deployment and its revisions, Completion, UsageEvent, Balance."""

from serving_app.models.deployment import Deployment, DeploymentRevision
from serving_app.models.replica import EngineReplica
from serving_app.models.usage import Balance, Completion, CompletionState, UsageEvent, UsageKind

__all__ = [
    "Balance",
    "Completion",
    "CompletionState",
    "Deployment",
    "DeploymentRevision",
    "EngineReplica",
    "UsageEvent",
    "UsageKind",
]
