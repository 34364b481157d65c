"""Admin and public views."""
