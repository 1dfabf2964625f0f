"""What is inside a version: rows, differences, downloads, its card. Opens curation's files and reads no table."""
