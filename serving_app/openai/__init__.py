"""The OpenAI surface, mounted at /v1: one module per endpoint. It knows bodies and statuses; services know the rest."""
