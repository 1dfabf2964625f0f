"""The REST shell: authentication, permissions, pagination, errors, schema."""
