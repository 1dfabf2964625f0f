"""Reading deployments, engines, requests and usage. The workspace comes first."""

from serving_app.selectors.deployments import (
    current_revision,
    deployment_named,
    deployment_of,
    deployments_of,
    revisions_of,
)
from serving_app.selectors.engines import (
    answers,
    answers_on,
    desired_models,
    engine_is_ready,
    problem_of,
    replicas,
)
from serving_app.selectors.paging import Page, page, with_metadata
from serving_app.selectors.usage import (
    Bill,
    Rate,
    balance_of,
    by_key_model_and_day,
    completions_of,
    open_attempts,
    rate_of,
    settled_counts,
    totals,
    usage_of,
)

__all__ = [
    "Bill",
    "Page",
    "Rate",
    "answers",
    "answers_on",
    "balance_of",
    "by_key_model_and_day",
    "completions_of",
    "current_revision",
    "deployment_named",
    "deployment_of",
    "deployments_of",
    "desired_models",
    "engine_is_ready",
    "open_attempts",
    "page",
    "problem_of",
    "rate_of",
    "replicas",
    "revisions_of",
    "settled_counts",
    "totals",
    "usage_of",
    "with_metadata",
]
