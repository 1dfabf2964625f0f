"""Rows held until the end of a transaction. Which row, and why, is its caller's concern."""

from __future__ import annotations

from django.db.models import Model


def hold(row: Model) -> None:
    """Nobody else changes the row before the transaction ends; nothing where it was never saved."""
    type(row)._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
