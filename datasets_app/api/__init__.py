"""Data sets, versions and recipes for programs: /api/v1."""
