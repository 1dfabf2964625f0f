"""The dashboard's pages for data sets."""
