"""Prompt templates and profiles."""
