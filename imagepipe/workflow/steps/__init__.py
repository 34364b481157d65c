"""The built-in steps, one file each, and the registry they share with those of others."""
