#!/usr/bin/env python
"""Django's command line for GPT Studio. A wrong setting, or a database that is away, ends in one sentence."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gptstudio.settings.local")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"GPT Studio cannot start: {error}")
    except OperationalError as error:
        sys.exit(f"The database refuses: {str(error).strip()}. Look at DATABASE_URL, and run `manage.py prepare`.")
