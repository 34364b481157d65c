"""The delivery edge: answers signed picture addresses from the delivery storage.

Runs by itself (`python -m edge`) without Django and without a database.
"""

from __future__ import annotations
