"""Models beneath /api/v1."""
