"""Notices that leave the studio: e-mail and signed webhooks, from an outbox. It knows no people and no permissions."""
