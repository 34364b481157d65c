"""libvips as the edge uses it: one thread per picture, no cache, only the loaders it needs.

Import pyvips from here, so that the settings are in force before anything is decoded.
"""

from __future__ import annotations

import os

# libvips reads it once, when it starts.
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips

pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)
# Every other decoder is attack surface that no master needs.
pyvips.operation_block_set("VipsForeignLoad", True)
for _name in ("Jpeg", "Png", "Webp", "Heif", "Nsgif"):
    pyvips.operation_block_set(f"VipsForeignLoad{_name}", False)

__all__ = ["pyvips"]
