"""POST /v1/chat/completions."""

from __future__ import annotations

from serving_app.openai.inference import InferenceView


class ChatCompletions(InferenceView):
    """Answer a conversation."""

    endpoint = "chat/completions"
