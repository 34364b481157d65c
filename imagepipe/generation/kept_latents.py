"""Keep the unmasked part of a picture while any pipeline paints the rest.

After each step the latents outside the mask are put back to the source's, noised as far as
the next step expects (Lugmayr et al., RePaint, https://arxiv.org/abs/2201.09865, without
its resampling).
"""

from __future__ import annotations

from typing import Any

from PIL import Image


class KeptLatents:
    """Called after each step with the latents; returns those to go on with."""

    def __init__(self, pipeline: Any, source: Image.Image, region: Image.Image, seed: int):
        import torch

        processor, vae = pipeline.image_processor, pipeline.vae
        pixels = processor.preprocess(source).to(device=vae.device, dtype=vae.dtype)
        with torch.no_grad():
            encoded = vae.encode(pixels)
        plain = getattr(encoded, "latents", None)
        if plain is None:
            plain = encoded.latent_dist.mode()
        shift = getattr(vae.config, "shift_factor", None) or 0.0
        self._source = (plain - shift) * vae.config.scaling_factor
        generator = torch.Generator("cpu").manual_seed(seed)
        noise = torch.randn(self._source.shape, generator=generator, dtype=torch.float32)
        self._noise = noise.to(self._source)
        size = self._source.shape[-1], self._source.shape[-2]
        shrunk = region.resize(size, Image.Resampling.BOX).point([0] + [255] * 255)
        keep = torch.frombuffer(bytearray(shrunk.tobytes()), dtype=torch.uint8) == 0
        self._keep = keep.reshape(1, 1, size[1], size[0]).to(self._source.device)

    def __call__(self, pipeline: Any, index: int, latents: Any) -> Any:
        import torch

        steps = pipeline.num_timesteps
        known = self._source
        if index + 1 < steps:
            following = pipeline.scheduler.timesteps[-steps:][index + 1]
            known = pipeline.scheduler.add_noise(known, self._noise, following.reshape(1))
        return torch.where(self._keep, known.to(latents.dtype), latents)
