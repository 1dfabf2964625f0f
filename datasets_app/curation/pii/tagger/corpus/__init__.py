"""Generated texts with exact labels, for training the tagger. Needs Faker and symspellpy; running the tagger does not."""
