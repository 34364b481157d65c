"""The delivery edge: signed URLs in, pictures out. Run it with `python -m edge`.

It has no database and no Django: a request is decided by the URL's signature and by the
asset's signed grant, and answered from the delivery storage.
"""

from __future__ import annotations
