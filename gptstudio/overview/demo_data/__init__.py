"""The demo data set: a generator of a messy customer-support export with a manifest of everything planted in it."""
