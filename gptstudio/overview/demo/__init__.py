"""The whole road as one command: from a messy file to an answer and its bill."""
