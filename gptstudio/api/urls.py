"""The native API's own addresses. The last one catches what is none, so that it too answers as a problem."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from gptstudio.api import audit, incidents, invitations, keys, members, reviews, schema, webhooks
from gptstudio.api.errors import CONTENT_TYPE


@csrf_exempt
def unknown(request: HttpRequest, rest: str) -> JsonResponse:
    """No such address."""
    title = f"There is nothing at /api/v1/{rest[:200]}."
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": 404, "code": "not_found"}
    body["fix"] = "The addresses are listed at /api/v1/docs."
    return JsonResponse({**body, "detail": f"{title} {body['fix']}"}, status=404, content_type=CONTENT_TYPE)


app_name = "api"
urlpatterns = [
    path("schema", schema.Schema.as_view(), name="schema"),
    path("docs", schema.docs, name="docs"),
    path("api-keys", keys.Keys.as_view(), name="keys"),
    path("api-keys/<slug:key_id>", keys.KeyOne.as_view(), name="key"),
    path("api-keys/<slug:key_id>/rotate", keys.RotateKey.as_view(), name="key-rotate"),
    path("api-keys/<slug:key_id>/revoke", keys.RevokeKey.as_view(), name="key-revoke"),
    path("api-keys/<slug:key_id>/pause", keys.PauseKey.as_view(), name="key-pause"),
    path("api-keys/<slug:key_id>/resume", keys.ResumeKey.as_view(), name="key-resume"),
    path("members", members.Members.as_view(), name="members"),
    path("members/<slug:user_id>", members.MemberOne.as_view(), name="member"),
    path("members/<slug:user_id>/block", members.BlockMember.as_view(), name="member-block"),
    path("members/<slug:user_id>/unblock", members.UnblockMember.as_view(), name="member-unblock"),
    path("invitations", invitations.Invitations.as_view(), name="invitations"),
    path("invitations/<slug:invitation_id>/renew", invitations.RenewInvitation.as_view(), name="invitation-renew"),
    path(
        "invitations/<slug:invitation_id>/withdraw",
        invitations.WithdrawInvitation.as_view(),
        name="invitation-withdraw",
    ),
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path("webhooks/<slug:destination_id>", webhooks.WebhookOne.as_view(), name="webhook"),
    path("webhooks/<slug:destination_id>/test", webhooks.TestWebhook.as_view(), name="webhook-test"),
    path("webhooks/<slug:destination_id>/deliveries", webhooks.WebhookDeliveries.as_view(), name="webhook-deliveries"),
    path("reviews", reviews.Reviews.as_view(), name="reviews"),
    path("reviews/decide", reviews.DecideReviews.as_view(), name="reviews-decide"),
    path("reviews/times", reviews.ReviewTimes.as_view(), name="reviews-times"),
    path("reviews/<slug:review_id>", reviews.Review.as_view(), name="review"),
    path("reviews/<slug:review_id>/decide", reviews.DecideReview.as_view(), name="review-decide"),
    path("reviews/<slug:review_id>/reopen", reviews.ReopenReview.as_view(), name="review-reopen"),
    path("reviews/<slug:review_id>/claim", reviews.ClaimReview.as_view(), name="review-claim"),
    path("reviews/<slug:review_id>/release", reviews.ReleaseReview.as_view(), name="review-release"),
    path("reviews/<slug:review_id>/escalate", reviews.EscalateReview.as_view(), name="review-escalate"),
    path("reviews/<slug:review_id>/hand-back", reviews.HandBackReview.as_view(), name="review-hand-back"),
    path("incidents", incidents.Incidents.as_view(), name="incidents"),
    path("audit", audit.Audit.as_view(), name="audit"),
    path("audit/export", audit.AuditExport.as_view(), name="audit-export"),
    re_path(r"^(?P<rest>(?s:.*))\Z", unknown, name="unknown"),
]
