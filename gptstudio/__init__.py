"""GPT Studio: the wiring, and what the apps share."""
