"""What every app stands on: ids, errors, states, queue, artifacts, child processes. It knows no nouns."""
