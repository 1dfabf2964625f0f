"""Whose prompts may share what an engine has computed: those of one workspace."""

from __future__ import annotations

from functools import lru_cache

from django.utils.crypto import salted_hmac


@lru_cache(maxsize=1024)
def cache_scope(workspace_id: str) -> str:
    """The workspace's scope, which says nothing to the engine and cannot be guessed."""
    return salted_hmac("serving.cache-scope", workspace_id, algorithm="sha256").hexdigest()
