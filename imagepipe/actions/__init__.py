"""Every change of state that matters goes through an action."""
