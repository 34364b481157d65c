"""Licences, markets, runtimes and clearance."""
