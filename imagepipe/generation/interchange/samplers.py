"""Names of samplers in other tools, and the diffusers scheduler that does the same.

After the tables in the documentation of diffusers,
https://huggingface.co/docs/diffusers/api/schedulers/overview. Spacings of the noise levels
("Karras", "exponential") belong to the scheduler's own settings and are not part of this.
"""

from __future__ import annotations

import re

INFOTEXT = {
    "Euler a": "EulerAncestralDiscreteScheduler",
    "Euler": "EulerDiscreteScheduler",
    "Heun": "HeunDiscreteScheduler",
    "DPM2": "KDPM2DiscreteScheduler",
    "DPM2 a": "KDPM2AncestralDiscreteScheduler",
    "DPM++ 2M": "DPMSolverMultistepScheduler",
    "DPM++ SDE": "DPMSolverSinglestepScheduler",
    "DDIM": "DDIMScheduler",
    "DDPM": "DDPMScheduler",
    "DEIS": "DEISMultistepScheduler",
    "UniPC": "UniPCMultistepScheduler",
}
COMFYUI = {
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "euler": "EulerDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "dpm_2": "KDPM2DiscreteScheduler",
    "dpm_2_ancestral": "KDPM2AncestralDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "dpmpp_sde": "DPMSolverSinglestepScheduler",
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "deis": "DEISMultistepScheduler",
    "uni_pc": "UniPCMultistepScheduler",
}
INVOKEAI = {
    "euler_a": "EulerAncestralDiscreteScheduler",
    "euler": "EulerDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "kdpm_2": "KDPM2DiscreteScheduler",
    "kdpm_2_a": "KDPM2AncestralDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "dpmpp_2s": "DPMSolverSinglestepScheduler",
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "deis": "DEISMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
}
_SPACING = re.compile(r"[ _](karras|exponential|k|polyexponential)$", re.IGNORECASE)


def scheduler_of(sampler: str, table: dict[str, str]) -> str | None:
    """Return the scheduler for a foreign sampler, whatever its noise spacing; None: unknown."""
    plain = _SPACING.sub("", sampler[:100])
    known = {name.casefold(): scheduler for name, scheduler in table.items()}
    return known.get(sampler.casefold()) or known.get(plain.casefold())


def sampler_of(scheduler: str, table: dict[str, str]) -> str:
    """Return the foreign name of a scheduler; empty where the other tool has none."""
    return next((name for name, known in table.items() if known == scheduler), "")
