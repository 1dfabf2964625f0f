"""Readers: one module per file format, each an iterator of records and problems."""
