"""Views of data sets, files and versions."""
