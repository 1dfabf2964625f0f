"""The engine's HTTP routes: thin, one module a surface."""
