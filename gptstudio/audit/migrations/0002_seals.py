"""Chains get a seal on their ends; those that stand are sealed as they are."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from gptstudio.audit.seals import seal


def seal_all(apps: Any, _schema_editor: Any) -> None:
    for head in apps.get_model("audit", "ChainHead").objects.all():
        head.seal = seal(head.key, head.hash)
        head.save(update_fields=["seal"])


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.AddField("chainhead", "seal", models.CharField(blank=True, max_length=64)),
        migrations.RunPython(seal_all, migrations.RunPython.noop),
    ]
