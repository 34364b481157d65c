"""Prompt policy: versioned rule sets and decisions with reasons."""
