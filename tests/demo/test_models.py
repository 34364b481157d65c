from __future__ import annotations

import pytest
from website.demo import studio
from website.demo.preparation import MODELS

from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel


@pytest.mark.django_db
def test_all_models_that_ship_are_registered_once() -> None:
    for _twice in range(2):
        base = studio.register_models(MODELS)
        studio.create_templates(base)
    models = {model.slug: model for model in RegisteredModel.objects.all()}
    shipped = {path.parent.name for path in MODELS.glob("pocket-*/README.md")}
    assert set(models) == shipped
    assert {model.kind for model in models.values()} == {
        "checkpoint", "controlnet", "lora", "embedding", "clip",
    }  # fmt: skip
    assert base.kind == "checkpoint"
    assert all(model.state == "allowed" and model.sha256 for model in models.values())
    assert all(model.licence == "MIT" for model in models.values())
    assert all(model.card.startswith(f"# {slug}") for slug, model in models.items())
    assert {model.family for model in models.values()} == {"sd", "clip"}
    assert set(PromptTemplate.objects.values_list("model", flat=True)) == {base.pk}
