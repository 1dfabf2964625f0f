"""Settings, by environment. `base` holds what all share; `env` is the only reader of the environment (`celery` and `asgi` only set the default module)."""
