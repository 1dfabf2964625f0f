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
from serving_app.selectors.rates import Limits, Rate, Standing, Taken, open_count, rate_in, window_of
from serving_app.selectors.usage import (
    Bill,
    balance_of,
    by_key_model_and_day,
    completions_of,
    open_attempts,
    settled_counts,
    totals,
    usage_of,
)

__all__ = [
    "Bill",
    "Limits",
    "Page",
    "Rate",
    "Standing",
    "Taken",
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
    "open_count",
    "page",
    "problem_of",
    "rate_in",
    "replicas",
    "revisions_of",
    "settled_counts",
    "totals",
    "usage_of",
    "window_of",
    "with_metadata",
]
