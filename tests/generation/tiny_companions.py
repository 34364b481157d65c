"""Random companions of a Stable Diffusion on disk: ControlNet, LoRA, embedding, IP-Adapter."""

from __future__ import annotations

from pathlib import Path

from imagepipe.generation.request import Adapter, Control, ModelReference, Reference
from tests.contracts.backend_suite_case import scene


def build_companions(model: Path, folder: Path) -> None:
    """Write one of each for the pipeline in ``model`` to folders named after their kind."""
    import torch
    from diffusers import StableDiffusionPipeline

    torch.set_num_threads(1)
    torch.manual_seed(3)
    pipeline = StableDiffusionPipeline.from_pretrained(
        model, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    write_controlnet(pipeline.unet, folder / "controlnet")
    write_lora(pipeline, folder / "lora")
    write_lora(pipeline, folder / "other-lora")
    write_embedding(pipeline.text_encoder.config.hidden_size, folder / "embedding")
    write_ip_adapter(pipeline.unet, folder / "ip-adapter")


def conditions(folder: Path) -> dict[str, tuple]:
    """Return what a backend case takes: two control pictures, three adapters, a reference."""
    control = ModelReference("tiny-control", str(folder / "controlnet"))
    return {
        "controls": (
            Control("canny", scene(64, 64), control, weight=1.0),
            Control("depth", scene(40, 64), control, weight=0.5, start=0.0, end=0.6),
        ),
        "adapters": (
            Adapter("style", str(folder / "lora"), weight=0.8),
            Adapter("other", str(folder / "other-lora"), weight=0.3),
            Adapter("mine", str(folder / "embedding"), "textual-inversion", token="<mine>"),
        ),
        "references": (
            Reference(scene(50, 40), 0.9, ModelReference("follow", str(folder / "ip-adapter"))),
        ),
    }


def write_controlnet(unet, folder: Path) -> None:
    import torch
    from diffusers import ControlNetModel

    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32))
    for name, parameter in net.named_parameters():
        if name.startswith("controlnet_"):  # zero at first, which would change nothing
            torch.nn.init.normal_(parameter, std=0.3)
    net.save_pretrained(folder)


def write_lora(pipeline, folder: Path) -> None:
    import torch
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig, get_peft_model_state_dict

    unet = pipeline.unet
    targets = ["to_k", "to_q", "to_v", "to_out.0"]
    unet.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=targets))
    for name, parameter in unet.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.4)
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    type(pipeline).save_lora_weights(folder, unet_lora_layers=layers)
    pipeline.unload_lora_weights()


def write_embedding(width: int, folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    save_file({"<mine>": torch.randn(2, width)}, folder / "learned_embeds.safetensors")


def write_ip_adapter_for(model: Path, folder: Path) -> None:
    """Write a random IP-Adapter for the pipeline in ``model``."""
    import torch
    from diffusers import UNet2DConditionModel

    torch.manual_seed(4)
    unet = UNet2DConditionModel.from_pretrained(model / "unet", use_safetensors=True)
    write_ip_adapter(unet, folder)


def write_ip_adapter(unet, folder: Path, tokens: int = 4) -> None:
    """Write random weights under the names that diffusers expects, and an image encoder."""
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    width = unet.config.cross_attention_dim
    state = {
        "image_proj.proj.weight": torch.randn(tokens * width, 32) * 0.1,
        "image_proj.proj.bias": torch.zeros(tokens * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    cross = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
    for index, name in enumerate(cross):
        size = unet.get_submodule(name.removesuffix(".processor")).to_q.in_features
        for key in ("to_k_ip", "to_v_ip"):
            weight = torch.randn(size, width) * 0.3
            state[f"ip_adapter.{2 * index + 1}.{key}.weight"] = weight
    folder.mkdir(parents=True)
    save_file(state, folder / "ip-adapter.safetensors")
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=32,
            patch_size=8,
            projection_dim=32,
        )
    ).save_pretrained(folder / "image_encoder")
