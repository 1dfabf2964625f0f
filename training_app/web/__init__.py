"""The dashboard's pages for fine-tunes and models."""
