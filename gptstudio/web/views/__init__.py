"""The pages that belong to the workspace itself."""
