"""`AIImageBlock`: Wagtail's image block with a profile and a crop for each use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.blocks import FieldBlock
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.images.blocks import ImageBlock, ImageChooserBlock

from imagepipe.delivery.deferred import deferred_images
from imagepipe.delivery.presentation import Presentation
from imagepipe.delivery.presets import get_preset
from imagepipe.delivery.profiles import (
    DEFAULT_PROFILE,
    ImageProfile,
    InvalidProfile,
    UnknownProfile,
    check_profile,
    get_profile,
)
from imagepipe.delivery.representation import represent
from imagepipe.delivery.shown import show
from imagepipe.delivery.use_requirements import missing_for_use
from imagepipe.delivery.uses import InvalidUse, crop_value, read_crops, use_of
from imagepipe.formfields import CropField
from imagepipe.widgets import CropInput, GeneratingImageChooser

_COLUMNS = {"alt": "alt_text", "rights": "image", "consent": "image", "runtime": "image"}


class CropBlock(FieldBlock):
    """A crop, or crops by name, as :func:`~imagepipe.delivery.uses.crop_value` writes them."""

    def __init__(self, *, profile: str, **kwargs: Any) -> None:
        self.profile_name = profile
        super().__init__(**kwargs)

    @cached_property
    def field(self) -> CropField:
        return CropField(required=False, widget=CropInput(profile_name=self.profile_name))

    class Meta:
        icon = "crop"


class GeneratingImageChooserBlock(ImageChooserBlock):
    """Wagtail's image chooser with a button that generates from the profile's template."""

    def __init__(self, required: bool = True, *, profile: str, **kwargs: Any) -> None:
        self.profile_name = profile
        super().__init__(required=required, **kwargs)

    @cached_property
    def widget(self) -> GeneratingImageChooser:
        return GeneratingImageChooser(profile_name=self.profile_name)

    def bulk_to_python(self, values: Iterable[Any]) -> list[Any]:
        """Without a query where the picture tag knows what it needs already."""
        keys = list(values)
        images = deferred_images(key for key in keys if key is not None)
        if images is None:
            return super().bulk_to_python(keys)
        return [images.get(key) for key in keys]


class AIImageBlock(ImageBlock):
    """An image with the alternative text and crop of this use.

    Its value is the Wagtail image with ``contextual_alt_text``, ``decorative`` and
    ``contextual_crop`` and ``contextual_crops``. The stored JSON is that of Wagtail's
    ``ImageBlock`` plus ``crop``, so either block reads what the other has written.
    Without a template of its own it is shown by the picture tag, as ``shown_preset`` says.
    """

    class Meta:
        template = "imagepipe/blocks/image.html"

    def __init__(
        self, required: bool = True, *, profile: str = DEFAULT_PROFILE, **kwargs: Any
    ) -> None:
        self.profile_name = profile
        self._own_options = {"required": required, "profile": profile}
        wagtails = ImageBlock().child_blocks
        children = [
            ("image", GeneratingImageChooserBlock(required=required, profile=profile)),
            ("decorative", wagtails["decorative"]),
            ("alt_text", wagtails["alt_text"]),
            ("crop", CropBlock(profile=profile, label=_("Crop for this use"))),
        ]
        # Wagtail's own constructor takes no further children.
        super(ImageBlock, self).__init__(children, **kwargs)

    @property
    def profile(self) -> ImageProfile:
        """Raises UnknownProfile, InvalidProfile."""
        return get_profile(self.profile_name)

    @property
    def shown_preset(self) -> str:
        """The first preset of the profile; of the default profile where that is a mistake."""
        try:
            return self.profile.presets[0]
        except (UnknownProfile, InvalidProfile):  # told as system checks
            return ImageProfile(DEFAULT_PROFILE).presets[0]

    def get_context(self, value: Any, parent_context: Any = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context=parent_context)
        return {**context, "preset": self.shown_preset}

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        defaults = {"required": True, "profile": DEFAULT_PROFILE}
        own = {
            name: value for name, value in self._own_options.items() if value != defaults[name]
        }
        return "imagepipe.blocks.AIImageBlock", [], {**self._constructor_kwargs, **own}

    def check(self, **kwargs: Any) -> list[Any]:
        errors: list[Any] = super().check(**kwargs)
        errors.extend(check_profile(self.profile_name, kwargs.get("field")))
        return errors

    def _struct_value_to_image(self, struct_value: Mapping[str, Any]) -> Any:
        image = super()._struct_value_to_image(struct_value)
        if image:
            try:
                crop, crops = read_crops(struct_value.get("crop"))
                image.contextual_crop, image.contextual_crops = crop, crops
            except InvalidUse:
                image.contextual_crop, image.contextual_crops = None, {}
                image._imagepipe_bad_crop = True
        return image

    def _image_to_struct_value(self, image: Any) -> dict[str, Any]:
        return {**super()._image_to_struct_value(image), "crop": _crop_of(image)}

    def clean(self, value: Any) -> Any:
        try:
            self.child_blocks["image"].clean(value)
        except ValidationError as error:
            raise StructBlockValidationError(block_errors={"image": error}) from error
        if getattr(value, "_imagepipe_bad_crop", False):
            message = CropField.default_error_messages["invalid"]
            raise StructBlockValidationError(block_errors={"crop": ValidationError(message)})
        if value and not self.is_deferred_validation:
            self._require(value)
        return value

    def _require(self, image: Any) -> None:
        missing = missing_for_use(image.pk, use_of(image), self.profile)
        by_column: dict[str, list[ValidationError]] = {}
        for code, text in missing.items():
            error = ValidationError(text, code=code)
            by_column.setdefault(_COLUMNS.get(code, "image"), []).append(error)
        if by_column:
            raise StructBlockValidationError(
                block_errors={
                    name: ValidationError(errors) for name, errors in by_column.items()
                }
            )

    def get_form_context(self, value: Any, prefix: str = "", errors: Any = None) -> Any:
        context = super().get_form_context(value, prefix=prefix, errors=errors)
        context["children"]["crop"] = self.child_blocks["crop"].bind(
            _crop_of(value), prefix=f"{prefix}-crop"
        )
        return context

    def get_form_state(self, value: Any) -> dict[str, Any]:
        crop = self.child_blocks["crop"].get_form_state(_crop_of(value))
        return {**super().get_form_state(value), "crop": crop}

    def get_api_representation(self, value: Any, context: Any = None) -> dict[str, Any]:
        """Wagtail's own, with what a front end shows under ``picture``."""
        context = context or {}
        data = super().get_api_representation(value, context=context)
        presentation = Presentation(get_preset(self.shown_preset), "")
        return {**data, "picture": represent(show(context, value), presentation)}

    def get_prep_value(self, value: Any) -> dict[str, Any]:
        return {**super().get_prep_value(value), "crop": _crop_of(value)}


def _crop_of(image: Any) -> Any:
    crops = getattr(image, "contextual_crops", None) or {}
    return crop_value(getattr(image, "contextual_crop", None), crops)
