"""Curation: files in; splits, a report and a row ledger out. Knows no Django, database or network."""
