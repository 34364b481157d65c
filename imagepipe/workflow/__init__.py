"""Graphs, runs and the one place that combines the subjects."""
