"""What was asked so far in the month that runs counts in it: rows of the ledger get their month, balances its sums."""

from collections import defaultdict

from django.db import migrations
from django.utils import timezone

BILLED, ENDS = ("settle", "adjust"), ("settle", "release")


def count_month(apps, schema_editor):
    usage, balance = apps.get_model("serving", "UsageEvent"), apps.get_model("serving", "Balance")
    now = timezone.localtime()
    month = now.year * 100 + now.month
    begun = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    usage.objects.filter(kind="reserve", at__gte=begun).update(month=month)
    mine = usage.objects.filter(kind="reserve", month=month).values("attempt_id")
    usage.objects.filter(attempt_id__in=mine).update(month=month)
    ended = set(usage.objects.filter(month=month, kind__in=ENDS).values_list("attempt_id", flat=True))
    sums = defaultdict(lambda: [0, 0])
    for event in usage.objects.filter(month=month).iterator(chunk_size=2000):
        member = f"{event.workspace_id}/{event.user_id}" if event.user_id else None
        for owner in filter(None, (event.workspace_id, event.api_key_id, member)):
            sums[owner][0] += event.cost_micro if event.kind in BILLED else 0
            sums[owner][1] += event.cost_micro if event.kind == "reserve" and event.attempt_id not in ended else 0
    for owner, (spent, held) in sums.items():
        balance.objects.filter(id=owner).update(month=month, month_spent_micro=spent, month_reserved_micro=held)


class Migration(migrations.Migration):
    dependencies = [("serving", "0011_months"), ("accounts", "0007_monthly_budgets")]

    operations = [migrations.RunPython(count_month, migrations.RunPython.noop)]
