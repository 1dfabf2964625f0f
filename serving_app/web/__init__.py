"""The dashboard's pages for asking models, deploying them, and what it costs."""
