"""Reading deployments, engines, requests and usage. The workspace comes first."""

from serving_app.selectors.budgets import Budget, budgets_of, to_be_told
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
from serving_app.selectors.prices import price_of, prices_of, scheduled_price
from serving_app.selectors.rates import Limits, Rate, Standing, Taken, open_count, rate_in, window_of
from serving_app.selectors.usage import (
    Bill,
    balance_of,
    by_key_model_and_day,
    completions_of,
    daily,
    member_account,
    open_attempts,
    settled_counts,
    totals,
    usage_of,
)

__all__ = [
    "Bill",
    "Budget",
    "Limits",
    "Page",
    "Rate",
    "Standing",
    "Taken",
    "answers",
    "answers_on",
    "balance_of",
    "budgets_of",
    "by_key_model_and_day",
    "completions_of",
    "current_revision",
    "daily",
    "deployment_named",
    "deployment_of",
    "deployments_of",
    "desired_models",
    "engine_is_ready",
    "member_account",
    "open_attempts",
    "open_count",
    "page",
    "price_of",
    "prices_of",
    "problem_of",
    "rate_in",
    "replicas",
    "revisions_of",
    "scheduled_price",
    "settled_counts",
    "to_be_told",
    "totals",
    "usage_of",
    "window_of",
    "with_metadata",
]
