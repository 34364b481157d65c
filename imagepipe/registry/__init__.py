"""Registered models: licence, card, content hash, allow-list."""
