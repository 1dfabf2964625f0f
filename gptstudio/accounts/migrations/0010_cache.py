"""The table in which failed sign-ins are counted; Django makes it by a command of its own."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.db import migrations


def make_table(_apps: Any, schema_editor: Any) -> None:
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_paused_keys")]

    operations = [migrations.RunPython(make_table, migrations.RunPython.noop)]
