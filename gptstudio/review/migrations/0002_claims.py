"""Claims, what is handed up to admins, and how long items wait. What waits already does so since it was opened."""

from __future__ import annotations

import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def since_opened(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("review", "ReviewItem").objects.update(waiting_since=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_members"), ("review", "0001_initial")]

    operations = [
        migrations.AddField("reviewitem", "waiting_since", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.RunPython(since_opened, migrations.RunPython.noop),
        migrations.AddField("reviewitem", "claimed_by", models.CharField(blank=True, default="", max_length=48), preserve_default=False),
        migrations.AddField("reviewitem", "claimed_by_label", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("reviewitem", "claimed_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("reviewitem", "escalated_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("reviewitem", "escalated_by_label", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("reviewitem", "escalation_reason", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddField(
            "reviewdecision",
            "waited_seconds",
            models.PositiveBigIntegerField(
                blank=True,
                help_text="How long the item had waited for it; empty where nobody was waited for.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            "reviewitem", models.Index(fields=["workspace", "state", "waiting_since"], name="review_waiting")
        ),
        migrations.AddIndex("reviewdecision", models.Index(fields=["at"], name="review_decided_at")),
    ]
