"""Image sitemaps, structured data and alt-text proposals."""
