"""Fetching a base model from a model hub. The only part of the engine that goes to the network, and only when called."""
