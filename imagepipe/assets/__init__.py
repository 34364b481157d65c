"""Assets, immutable versions and their lineage."""
