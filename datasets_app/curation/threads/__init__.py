"""Threads: posts that answer each other, from forums, mail, tickets and chat rooms, as conversations."""
