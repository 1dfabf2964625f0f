"""Usage as CSV, for spreadsheets: money in millionths, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

from gptstudio.accounts.selectors import members_of
from serving_app.selectors.usage import COUNTED, daily

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
HEAD = ("day", "api_key", "key_name", "model", *COUNTED, "member")


def cell(value: Any) -> str:
    """Text that a spreadsheet would run as a formula is quoted."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def usage_csv(workspace_id: str, *, since: date, until: date | None = None) -> str:
    """Sums by day, key, member and model from `since` on, before `until`."""
    by = ("day", "api_key", "api_key__name", "user_id", "model_name")
    people = {each.user_id: each.user.email for each in members_of(workspace_id)}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    for row in daily(workspace_id, since=since, until=until, by=by):
        head = [row["day"], row["api_key"], row["api_key__name"], row["model_name"]]
        member = people.get(row["user_id"], row["user_id"])
        writer.writerow([*map(cell, head), *(row[name] for name in COUNTED), cell(member)])
    return text.getvalue()
