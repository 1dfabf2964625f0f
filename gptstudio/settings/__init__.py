"""Settings, by environment. `base` holds what all share; `env` is the only reader of the environment."""
