"""Automatic checks on finished pictures, and the gates that run them."""
