"""Alternative texts: suggestions from what is known of a picture, and people who decide."""
