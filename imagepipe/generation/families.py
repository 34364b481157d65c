"""Families of diffusion models: which class of diffusers makes what, and what it understands.

Class names are those of https://huggingface.co/docs/diffusers; nothing is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagepipe.generation.request import Mode

NOISE_SCHEDULERS = (
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
)
"""Interchangeable schedulers of models that remove noise."""

FLOW_SCHEDULERS = ("FlowMatchEulerDiscreteScheduler", "FlowMatchLCMScheduler")
"""Those of models that follow a flow; others cannot start from a picture."""


@dataclass(frozen=True, slots=True)
class Family:
    """What diffusers can do with one class of checkpoints.

    ``classes`` and ``control_classes`` name the pipeline of each mode, the latter with
    ControlNet. ``backbone`` is the component that removes the noise.
    """

    name: str
    backbone: str
    classes: Mapping[Mode, str]
    control_classes: Mapping[Mode, str] = field(default_factory=dict)
    control_model: str = ""
    schedulers: tuple[str, ...] = FLOW_SCHEDULERS
    negative: bool = True
    adapter_kinds: tuple[str, ...] = ("lora",)
    references: bool = False


def _modes(text: str, image: str, inpaint: str) -> dict[Mode, str]:
    return {
        Mode.TEXT_TO_IMAGE: text,
        Mode.IMAGE_TO_IMAGE: image,
        Mode.INPAINT: inpaint,
        Mode.OUTPAINT: inpaint,
    }


_SD = Family(
    "sd",
    "unet",
    _modes(
        "StableDiffusionPipeline",
        "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline",
    ),
    _modes(
        "StableDiffusionControlNetPipeline",
        "StableDiffusionControlNetImg2ImgPipeline",
        "StableDiffusionControlNetInpaintPipeline",
    ),
    "ControlNetModel",
    NOISE_SCHEDULERS,
    adapter_kinds=("lora", "textual-inversion"),
    references=True,
)
_SDXL = Family(
    "sdxl",
    "unet",
    _modes(
        "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline",
    ),
    _modes(
        "StableDiffusionXLControlNetPipeline",
        "StableDiffusionXLControlNetImg2ImgPipeline",
        "StableDiffusionXLControlNetInpaintPipeline",
    ),
    "ControlNetModel",
    NOISE_SCHEDULERS,
    references=True,
)
_SD3 = Family(
    "sd3",
    "transformer",
    _modes(
        "StableDiffusion3Pipeline",
        "StableDiffusion3Img2ImgPipeline",
        "StableDiffusion3InpaintPipeline",
    ),
    {Mode.TEXT_TO_IMAGE: "StableDiffusion3ControlNetPipeline"},
    "SD3ControlNetModel",
)
_FLUX = Family(
    "flux",
    "transformer",
    _modes("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
    _modes(
        "FluxControlNetPipeline",
        "FluxControlNetImg2ImgPipeline",
        "FluxControlNetInpaintPipeline",
    ),
    "FluxControlNetModel",
    negative=False,
)
_Z_IMAGE = Family(
    "z-image",
    "transformer",
    _modes("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline"),
)
_FAMILIES = {
    class_name: family
    for family in (_SD, _SDXL, _SD3, _FLUX, _Z_IMAGE)
    for class_name in (*family.classes.values(), *family.control_classes.values())
}
_NEGATIVE = ("PixArt", "Kolors", "HunyuanDiT")


def family_of(pipeline: str) -> Family:
    """Return the family of a pipeline class, which ``model_index.json`` names.

    Of an unknown class only text to image is known.
    """
    known = _FAMILIES.get(pipeline)
    if known is not None:
        return known
    return Family(
        "",
        "transformer",
        {Mode.TEXT_TO_IMAGE: pipeline},
        schedulers=NOISE_SCHEDULERS,
        negative=pipeline.startswith(_NEGATIVE),
        adapter_kinds=(),
    )
