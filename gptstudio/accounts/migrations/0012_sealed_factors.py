"""Secrets of second factors are sealed under SECRET_KEY. Safe to run again: what is sealed stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations

from gptstudio.accounts.second_factors import TYPES, opened, sealed


def _rewrite(apps: Any, made: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    for each in apps.get_model("mfa", "Authenticator").objects.filter(type__in=TYPES):
        each.data = made(each.data)
        each.save(update_fields=["data"])


def seal_all(apps: Any, _schema_editor: Any) -> None:
    _rewrite(apps, sealed)


def open_all(apps: Any, _schema_editor: Any) -> None:
    _rewrite(apps, opened)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_time_zone"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(seal_all, open_all)]
