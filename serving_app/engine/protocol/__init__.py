"""OpenAI's wire format: requests read strictly, answers written exactly."""
