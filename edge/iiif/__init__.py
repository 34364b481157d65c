"""IIIF Image API 3.0, level 2, for the pictures whose grant allows it.

Specification: https://iiif.io/api/image/3.0/
"""
