"""Views of fine-tunes and models."""
