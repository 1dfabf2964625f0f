"""The training engine: a complete spec goes in, events and a model folder come out. It knows no database and no web."""
