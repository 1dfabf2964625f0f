"""Django's entry for accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gptstudio.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Listen to what happens to accounts."""
        from gptstudio.accounts import receivers  # noqa: F401
