"""Telling edges and CDNs at once to forget; everything also ends without it, only later."""
