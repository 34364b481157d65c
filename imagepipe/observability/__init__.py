"""Structured log keys and metrics."""
