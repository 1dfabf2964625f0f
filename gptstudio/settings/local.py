"""The embedded default: one machine, no server beside it."""

from gptstudio.settings.base import *  # noqa: F403
