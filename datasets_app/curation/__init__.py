"""Curation: files in; splits, a report and a row ledger out. Knows nothing of Django, of a database or of the network."""
