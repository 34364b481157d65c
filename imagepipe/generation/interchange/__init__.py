"""Recipes of other tools: reading theirs out of untrusted files, writing ours for them."""
