"""The inference engine: an OpenAI-speaking server with continuous batching, which knows nothing of Django."""
