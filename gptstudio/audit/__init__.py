"""Who did what, when: an append-only, hash-chained log. It knows subjects by their public id alone."""
