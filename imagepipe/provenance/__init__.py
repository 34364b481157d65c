"""Signers and verification of content credentials."""
