"""The top floor, which may see all apps: home, search, the demo."""
