"""The studio's own tagger for people, addresses, places and organisations: what it learns from, how, and its use."""
