"""The admin console: its names, its colours from light to dark, and what stands at its side."""

from __future__ import annotations

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "GPT Studio",
    "SITE_HEADER": "GPT Studio",
    "SITE_SUBHEADER": "Review and safety",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: "/static/studio/mark.svg",
    "SHOW_HISTORY": False,
    "BORDER_RADIUS": "8px",
    "STYLES": ["/static/studio/console.css"],
    "COLORS": {
        "primary": {  # the accent of the dashboard
            "50": "#e9eefc",
            "100": "#d8e0fa",
            "200": "#b9c7f6",
            "300": "#8ea6ff",
            "400": "#5f7fee",
            "500": "#3f61e0",
            "600": "#2b4fd8",
            "700": "#2343b8",
            "800": "#1e3894",
            "900": "#1a2f78",
            "950": "#10131f",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Review",
                "items": [
                    {"title": "Waiting and decided", "icon": "inbox", "link": "/admin/review/reviewitem/"},
                    {"title": "Incidents", "icon": "emergency_home", "link": "/admin/audit/auditevent/incidents/"},
                    {
                        "title": "Audit log",
                        "icon": "history",
                        "link": "/admin/audit/auditevent/",
                        "active": lambda request: (
                            request.path.startswith("/admin/audit/auditevent/") and "/incidents/" not in request.path
                        ),
                    },
                ],
            },
            {
                "title": "Data and models",
                "items": [
                    {"title": "Data versions", "icon": "table", "link": "/admin/datasets/datasetversion/"},
                    {"title": "Fine-tunes", "icon": "school", "link": "/admin/training/finetuningjob/"},
                    {"title": "Models", "icon": "deployed_code", "link": "/admin/training/languagemodel/"},
                    {"title": "Evaluations", "icon": "balance", "link": "/admin/training/evaluation/"},
                ],
            },
            {
                "title": "Use",
                "items": [
                    {"title": "Deployments", "icon": "rocket_launch", "link": "/admin/serving/deployment/"},
                    {"title": "Requests", "icon": "list", "link": "/admin/serving/completion/"},
                    {"title": "Ledger", "icon": "receipt_long", "link": "/admin/serving/usageevent/"},
                    {"title": "API keys", "icon": "key", "link": "/admin/accounts/apikey/"},
                    {"title": "Members", "icon": "group", "link": "/admin/accounts/membership/"},
                ],
            },
        ],
    },
}
