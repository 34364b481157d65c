"""Small previews of a picture in the making, from the latents of a running pipeline."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

SMALL_DECODER_PARAMETERS = 3_000_000
LONGEST_SIDE = 256


def render_preview(pipeline: Any, latents: Any, size: tuple[int, int]) -> bytes | None:
    """Return a JPEG of at most 256 pixels, or None when the latents have no picture shape.

    ``size`` is that of the picture in pixels; packed latents do not know theirs. A small
    decoder is run for real; for a large one the first three latent channels are stretched
    to colours, which shows the composition only.
    """
    unpack = getattr(pipeline, "_unpack_latents", None)
    if getattr(latents, "ndim", 0) == 3 and unpack is not None:
        latents = unpack(latents, size[1], size[0], pipeline.vae_scale_factor)
    if getattr(latents, "ndim", 0) != 4:
        return None
    decoder = getattr(pipeline, "vae", None)
    if decoder is not None and _is_small(decoder):
        shift = getattr(decoder.config, "shift_factor", None) or 0.0
        scaled = latents[:1] / getattr(decoder.config, "scaling_factor", 1.0) + shift
        pixels = decoder.decode(scaled, return_dict=False)[0][0, :3]
        pixels = pixels / 2 + 0.5
    else:
        pixels = latents[0, :3]
        if pixels.shape[0] < 3:
            return None
        low, high = pixels.min(), pixels.max()
        pixels = (pixels - low) / (high - low + 1e-6)
    bytes_ = (pixels.float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    picture = Image.fromarray(bytes_)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BOX)
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=70)
    return output.getvalue()


def _is_small(module: Any) -> bool:
    return sum(p.numel() for p in module.parameters()) <= SMALL_DECODER_PARAMETERS
