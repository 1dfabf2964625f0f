"""Django's entry for accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gptstudio.accounts"
    label = "accounts"
