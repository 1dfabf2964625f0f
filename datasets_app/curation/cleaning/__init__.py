"""Cleaning of single texts: case, symbols, spelling, grammar. Text in, text out; it knows no rows, files or counts."""
