"""Addresses of deployments, usage, budgets and prices beneath /api/v1."""

from __future__ import annotations

from django.urls import path

from serving_app.api import alerts, deployments, feedback, guardrails, money, usage

app_name = "serving-api"
urlpatterns = [
    path("usage", usage.Usage.as_view()),
    path("usage/export", usage.UsageExport.as_view()),
    path("requests", usage.Requests.as_view()),
    path("requests/<slug:request_id>", usage.RequestOne.as_view()),
    path("requests/<slug:request_id>/texts", usage.RequestTexts.as_view()),
    path("budgets", money.Budgets.as_view()),
    path("budgets/workspace", money.WorkspaceBudget.as_view()),
    path("budgets/members/<slug:user_id>", money.MemberBudget.as_view()),
    path("deployments", deployments.Deployments.as_view()),
    path("deployments/<slug:deployment_id>", deployments.DeploymentOne.as_view()),
    path("deployments/<slug:deployment_id>/rollback", deployments.RollBack.as_view()),
    path("deployments/<slug:deployment_id>/stop", deployments.StopDeployment.as_view()),
    path("deployments/<slug:deployment_id>/lift", deployments.LiftStop.as_view()),
    path("alerts/rules", alerts.Rules.as_view()),
    path("alerts/rules/<slug:rule_id>", alerts.RuleOne.as_view()),
    path("alerts/destinations", alerts.Destinations.as_view()),
    path("alerts/destinations/<slug:destination_id>", alerts.DestinationOne.as_view()),
    path("alerts/deliveries", alerts.Deliveries.as_view()),
    path("completions/<slug:request_id>/feedback", feedback.CompletionFeedback.as_view()),
    path("feedback", feedback.FeedbackList.as_view()),
    path("feedback/export", feedback.FeedbackExport.as_view()),
    path("guardrails", guardrails.GuardrailsOne.as_view()),
    path("prices", money.Prices.as_view()),
    path("prices/<slug:price_id>", money.PriceOne.as_view()),
]
