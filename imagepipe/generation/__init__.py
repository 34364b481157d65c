"""Making pictures: requests, recipes and the backends that answer them."""
