"""The dashboard's frame: layout, workspace pages, sign-in, template tags, static files."""
