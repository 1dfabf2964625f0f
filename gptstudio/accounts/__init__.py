"""People, workspaces, keys, and what each may do."""
