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



def _hear_warnings_only() -> None:
    """libvips tells a dozen things of every picture; each would wait for the interpreter.

    pyvips hears them all and has no other switch.
    """
    levels = pyvips.GLogLevelFlags
    heard = levels.LEVEL_WARNING | levels.LEVEL_CRITICAL | levels.LEVEL_ERROR
    heard |= levels.FLAG_FATAL | levels.FLAG_RECURSION
    pyvips._remove_log_handler()
    pyvips._log_handler_id = pyvips.glib_lib.g_log_set_handler(
        b"VIPS", heard, pyvips._log_handler_cb, pyvips.ffi.NULL
    )


if hasattr(pyvips, "_log_handler_cb"):
    _hear_warnings_only()

__all__ = ["pyvips"]
