"""EngineReplica, Preview, Deployment and its revisions, Completion, UsageEvent, UsageDaily, ModelPrice, Balance, ResourceSample."""

from serving_app.models.daily import ModelPrice, UsageDaily
from serving_app.models.deployment import Deployment, DeploymentRevision
from serving_app.models.replica import EngineReplica, Preview
from serving_app.models.sample import ResourceSample
from serving_app.models.usage import Balance, Completion, CompletionState, UsageEvent, UsageKind

__all__ = [
    "Balance",
    "Completion",
    "CompletionState",
    "Deployment",
    "DeploymentRevision",
    "EngineReplica",
    "ModelPrice",
    "Preview",
    "ResourceSample",
    "UsageDaily",
    "UsageEvent",
    "UsageKind",
]
