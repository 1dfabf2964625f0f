"""Serving: deployments, the OpenAI surface, usage."""
