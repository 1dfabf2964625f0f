"""The OpenAPI document of /v1. It describes what the views and parsers do, and decides nothing."""
