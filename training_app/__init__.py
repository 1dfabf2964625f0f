"""Fine-tuning and evaluation: jobs, models, scores."""
