"""Data sets: upload, detect, curate, freeze."""
