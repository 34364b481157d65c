from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from imagepipe.registry.kinds import Kind

KIND_NAMES = (
    (Kind.CHECKPOINT.value, _("Checkpoint")),
    (Kind.CONTROLNET.value, _("ControlNet")),
    (Kind.LORA.value, _("LoRA")),
    (Kind.EMBEDDING.value, _("Embedding")),
    (Kind.IP_ADAPTER.value, _("IP-Adapter")),
    (Kind.CLIP.value, _("CLIP")),
    (Kind.CAPTIONER.value, _("Captioning model")),
)


class RegisteredModel(models.Model):
    """A generative model that may be used: where it is, what it is, on which terms."""

    class State(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        ALLOWED = "allowed", _("Allowed for production")
        RETIRED = "retired", _("Retired")

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120, verbose_name=_("name"))
    kind = models.CharField(
        max_length=16,
        choices=KIND_NAMES,
        default=Kind.CHECKPOINT.value,
        verbose_name=_("kind"),
    )
    """Only a checkpoint makes pictures; templates and runs take no other kind."""
    backend = models.CharField(max_length=40, default="diffusers", verbose_name=_("engine"))
    family = models.CharField(max_length=40, blank=True, verbose_name=_("family"))
    location = models.CharField(
        max_length=500,
        verbose_name=_("location"),
        help_text=_("A local folder or the id of a model on a hub."),
    )
    sha256 = models.CharField(max_length=64, blank=True, verbose_name=_("content hash"))
    licence = models.CharField(max_length=120, verbose_name=_("licence"))
    licence_url = models.URLField(blank=True, verbose_name=_("address of the licence"))
    card = models.TextField(blank=True, verbose_name=_("model card"))
    native_width = models.PositiveIntegerField(default=512)
    native_height = models.PositiveIntegerField(default=512)
    defaults = models.JSONField(default=dict, blank=True)
    """Parameters that suit the model: steps, guidance, guidance_rescale, scheduler."""
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.REGISTERED, verbose_name=_("state")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["name"]
        verbose_name = _("registered model")
        verbose_name_plural = _("registered models")
        permissions = [("promote_registeredmodel", _("Can allow and retire models"))]

    def __str__(self) -> str:
        return self.name
