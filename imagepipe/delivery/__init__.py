"""Signed URLs, publication, grants and stored renditions."""
