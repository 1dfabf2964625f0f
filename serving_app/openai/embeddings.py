"""POST /v1/embeddings, for models that were registered for it."""

from __future__ import annotations

from serving_app.openai.inference import InferenceView


class Embeddings(InferenceView):
    """A vector for each text."""

    endpoint = "embeddings"
