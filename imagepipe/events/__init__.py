"""Named domain events and their subscribers."""
