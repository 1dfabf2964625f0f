"""Addresses of playground, deployments and usage."""

from __future__ import annotations

from django.urls import path

from serving_app.web.views import (
    alerts,
    connect,
    deployments,
    feedback,
    guardrails,
    metrics,
    money,
    monitoring,
    playground,
    slack,
    usage,
    widget,
)

app_name = "serving"
DEPLOYMENT = "deployments/<slug:deployment_id>"
urlpatterns = [
    path("playground/", playground.playground, name="playground"),
    path("playground/rate", feedback.rate, name="playground-rate"),
    path("feedback/", feedback.feedback, name="feedback"),
    path("feedback/take", feedback.take, name="feedback-take"),
    path("playground/<slug:request_id>/bill", playground.bill, name="playground-bill"),
    path("playground/stream", playground.stream, name="playground-stream"),
    path("connect/", connect.connect, name="connect"),
    path("deployments/", deployments.deployments, name="deployments"),
    path("deployments/new", deployments.new, name="deployment-new"),
    path(f"{DEPLOYMENT}/", deployments.deployment, name="deployment"),
    path(f"{DEPLOYMENT}/update", deployments.update, name="deployment-update"),
    path(f"{DEPLOYMENT}/roll-back", deployments.roll_back, name="deployment-roll-back"),
    path(f"{DEPLOYMENT}/widget", widget.widget, name="deployment-widget"),
    path(f"{DEPLOYMENT}/stop", deployments.stop, name="deployment-stop"),
    path(f"{DEPLOYMENT}/lift", deployments.lift, name="deployment-lift"),
    path(f"{DEPLOYMENT}/retire", deployments.retire, name="deployment-retire"),
    path("metrics", metrics.metrics, name="metrics"),
    path("monitoring/", monitoring.monitoring, name="monitoring"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/rules/<slug:rule_id>/delete", alerts.remove_rule, name="rule-delete"),
    path("settings/guardrails", guardrails.guardrails, name="guardrails"),
    path("monitoring/live", monitoring.monitoring_live, name="monitoring-live"),
    path("hooks/slack", slack.events, name="slack"),
    path("usage/", usage.usage, name="usage"),
    path("usage/requests", usage.requests, name="usage-requests"),
    path("usage/requests/<slug:request_id>/texts", usage.texts, name="request-texts"),
    path("usage/requests/<slug:request_id>/texts/delete", usage.delete_texts, name="request-texts-delete"),
    path("usage/budgets", money.budgets, name="budgets"),
    path("usage/budgets/workspace/update", money.set_workspace_budget, name="budget-workspace"),
    path("usage/budgets/members/<slug:user_id>/update", money.set_member_budget, name="budget-member"),
    path("usage/prices", money.prices, name="prices"),
    path("usage/prices/<slug:price_id>/withdraw", money.withdraw_price, name="price-withdraw"),
    path("usage/export", usage.export, name="usage-export"),
]
