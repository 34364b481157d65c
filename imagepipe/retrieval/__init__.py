"""Finding what was made before, by what it means."""
