"""A whole studio in one folder, and back: its database, its files by digest, the secrets that it made for itself.

`making` writes such a folder, `restoring` reads it. `manifest` knows its list of files, `database` the two databases,
`files` what of STUDIO_HOME belongs to it. None of them knows what the rows mean.
"""
