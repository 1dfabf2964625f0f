"""POST /v1/completions, OpenAI's older surface."""

from __future__ import annotations

from serving_app.openai.inference import InferenceView


class Completions(InferenceView):
    """Continue texts."""

    endpoint = "completions"
