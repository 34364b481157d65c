from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image
from wagtail.images import get_image_model
from wagtail.models import Collection

from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.models import RightsRecord
from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.generation_form import GenerateForm
from imagepipe.workflow.models import Candidate, Run, RunState

Person = Callable[..., User]
Browse = Callable[[User | None], Client]
CHOOSE = "/admin/images/chooser/"
EVERYTHING = ("view", "generate", "change", "review", "license", "publish")


def url(name: str, *args: Any) -> str:
    return reverse(f"imagepipe_admin:{name}", args=args)


def modal(client: Client, **query: str) -> str:
    response = client.get(CHOOSE, query)
    assert response.status_code == 200
    told = json.loads(response.content)
    assert told["step"] == "choose"
    return str(told["html"])


def brief(template: PromptTemplate, **values: Any) -> dict[str, Any]:
    data = {
        "title": "Teapot",
        "template": template.pk,
        "variable_subject": "red teapot",
        "candidates": 2,
        "priority": 0,
        "seed": 21,
        **values,
    }
    return {f"imagepipe-generate-{name}": value for name, value in data.items()}


USE = {
    "title": "A red teapot",
    "alt_en": "A red teapot on a table",
    "licence": "Generated, own use",
    "rights_holder": "Ada",
    "persons": "none",
}


def use(client: Client, candidate: Candidate, **changes: Any) -> Any:
    return client.post(url("chooser_use", candidate.uid), USE | changes)


def test_the_modal_has_three_tabs(admin: Client, template: PromptTemplate) -> None:
    html = modal(admin)
    for tab in ("search", "upload", "generate"):
        assert f'id="tab-{tab}"' in html
        assert f'id="tab-label-{tab}"' in html
    assert "data-chooser-modal-search" in html
    assert "data-chooser-modal-creation-form" in html
    assert "active-panel-id" not in html
    assert f'"{CHOOSE}chosen/0/"' in html


def test_it_opens_at_generate_with_the_profiles_template(
    admin: Client, template: PromptTemplate, settings: Any
) -> None:
    PromptTemplate.objects.create(name="A first one", slug="first", subject="{what}")
    settings.IMAGEPIPE = {
        **settings.IMAGEPIPE,
        "PROFILES": {"hero": {"template": "product"}},
    }
    html = modal(admin, generate="1", profile="hero")
    assert 'data-w-tabs-active-panel-id-value="tab-generate"' in html
    chosen = f'<option value="{template.pk}" selected>Product'
    assert chosen in html
    assert "imagepipe-generate-variable_subject" in html
    for profile in ("unknown", "", "<script>"):
        assert chosen not in modal(admin, profile=profile)


def test_pictures_for_text_and_for_several_places(
    admin: Client, template: PromptTemplate
) -> None:
    assert f'"{CHOOSE}0/select_format/?select_format=true"' in modal(
        admin, select_format="true"
    )
    assert f'"{CHOOSE}chosen/0/?multiple=1"' in modal(admin, multiple="1")


def test_those_who_may_not_generate_have_no_tab(
    browse: Browse, person: Person, template: PromptTemplate
) -> None:
    client = browse(person("vera", "view", "change", "review", "license", "publish"))
    html = modal(client, generate="1")
    assert "tab-generate" not in html
    assert 'id="tab-search"' in html


def test_a_run_is_started_and_followed(
    admin: Client, template: PromptTemplate, finish: Callable[[Run], Run]
) -> None:
    response = admin.post(url("chooser_generate"), brief(template))
    assert response.status_code == 200
    run = Run.objects.get()
    assert url("chooser_progress", run.uid) in response.content.decode()
    told = admin.get(url("chooser_progress", run.uid)).json()
    assert told["state"] == "queued"
    assert not told["finished"]
    finish(run)
    told = admin.get(url("chooser_progress", run.uid)).json()
    assert told["finished"]
    assert [entry["card_url"] for entry in told["candidates"]] == [
        url("chooser_card", run.uid, 0),
        url("chooser_card", run.uid, 1),
    ]
    card = admin.get(told["candidates"][0]["card_url"]).content.decode()
    candidate = run.candidates.get(index=0)
    assert url("chooser_use", candidate.uid) in card
    assert url("chooser_vary", candidate.uid) in card
    assert "Technical quality" in card
    assert url("candidate_reject", candidate.uid) not in card
    assert admin.get(url("chooser_card", run.uid, 9)).status_code == 404


def test_a_brief_that_is_wrong_is_shown_again(admin: Client, template: PromptTemplate) -> None:
    response = admin.post(url("chooser_generate"), brief(template, variable_subject=""))
    assert response.status_code == 422
    assert "the template needs it" in response.content.decode()
    response = admin.post(
        url("chooser_generate"), brief(template, variable_subject="x" * 50_000)
    )
    assert response.status_code == 422
    assert not Run.objects.exists()
    assert admin.get(url("chooser_generate")).status_code == 200


def test_what_became_wrong_after_it_was_checked_is_told(
    admin: Client, template: PromptTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = GenerateForm.clean

    def clean_and_retire(form: GenerateForm) -> Any:
        values = clean(form)
        values["template"].model.state = RegisteredModel.State.RETIRED
        return values

    monkeypatch.setattr(GenerateForm, "clean", clean_and_retire)
    response = admin.post(url("chooser_generate"), brief(template))
    assert response.status_code == 422
    assert "not allowed for production" in response.content.decode()
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)  # the image is made after the commit
def test_a_picture_is_used_at_once(admin: Client, candidate: Candidate) -> None:
    form = admin.get(url("chooser_use", candidate.uid)).content.decode()
    assert 'value="Generated, own use"' in form
    response = use(admin, candidate)
    assert response.status_code == 200, response.content.decode()
    image = get_image_model().objects.get()
    assert response.json() == {"image": str(image.pk)}
    asset = Asset.objects.get()
    assert asset.image == image
    assert asset.title == "A red teapot"
    assert asset.alt_texts() == {"en": "A red teapot on a table"}
    version = asset.versions.get()
    assert version.state == AssetVersion.State.PUBLISHED
    rights = RightsRecord.objects.get(asset=asset)
    assert (rights.licence, rights.rights_holder) == ("Generated, own use", "Ada")
    chosen = admin.get(f"{CHOOSE}chosen/{image.pk}/").json()
    assert chosen["step"] == "chosen"
    assert chosen["result"]["id"] == str(image.pk)
    assert chosen["result"]["candidate"] == candidate.uid.hex
    assert chosen["result"]["default_alt_text"] == "A red teapot on a table"


@pytest.mark.parametrize("field", ["title", "alt_en", "licence", "rights_holder"])
def test_nothing_is_published_while_something_is_missing(
    admin: Client, candidate: Candidate, field: str
) -> None:
    response = use(admin, candidate, **{field: " "})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Asset.objects.exists()
    candidate.refresh_from_db()
    assert candidate.state == Candidate.State.OFFERED


def test_missing_consent_stops_publication_and_everything_before_it(
    admin: Client, candidate: Candidate
) -> None:
    response = use(admin, candidate, persons="missing")
    assert response.status_code == 422
    assert "Consent of the persons" in response.content.decode()
    assert not Asset.objects.exists()


@pytest.mark.django_db(transaction=True)  # the image is made after the commit
def test_a_picture_that_was_taken_meanwhile_is_not_taken_twice(
    admin: Client, candidate: Candidate
) -> None:
    assert use(admin, candidate).status_code == 200
    assert use(admin, candidate).status_code == 422
    assert Asset.objects.count() == 1
    card = admin.get(url("chooser_card", candidate.run.uid, 0)).content.decode()
    image = Asset.objects.get().image_id
    assert f'data-imagepipe-generate-image-param="{image}"' in card


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("review", "wait for review"),
        ("license", "somebody else publishes"),
        ("publish", "somebody else publishes"),
        ("change", "somebody else publishes"),
    ],
)
def test_without_a_permission_the_pictures_wait_for_others(
    browse: Browse, person: Person, candidate: Candidate, missing: str, sentence: str
) -> None:
    client = browse(person("paul", *(verb for verb in EVERYTHING if verb != missing)))
    page = client.get(url("chooser_run", candidate.run.uid)).content.decode()
    assert sentence in page
    assert url("chooser_use", candidate.uid) not in page
    response = use(client, candidate)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Asset.objects.exists()


@pytest.mark.django_db(transaction=True)  # the image is made after the commit
def test_all_permissions_are_enough(
    browse: Browse, person: Person, candidate: Candidate
) -> None:
    client = browse(person("paul", *EVERYTHING))
    assert "image" in use(client, candidate).json()


@pytest.mark.django_db(transaction=True)  # the image is made after the commit
def test_four_eyes(
    admin: Client, candidate: Candidate, settings: Any, browse: Browse, person: Person
) -> None:
    settings.IMAGEPIPE = {**settings.IMAGEPIPE, "FOUR_EYES": True}
    page = admin.get(url("chooser_run", candidate.run.uid)).content.decode()
    assert "Somebody else has to approve" in page
    assert use(admin, candidate).status_code == 422
    assert not Asset.objects.exists()
    assert "image" in use(browse(person("paul", *EVERYTHING)), candidate).json()


def test_other_collections_are_closed(
    browse: Browse, person: Person, candidate: Candidate, root: Collection
) -> None:
    other = root.add_child(name="Other")
    client = browse(person("olga", *EVERYTHING, collection=other))
    run = candidate.run
    ajax = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
    for name, args in [
        ("chooser_run", [run.uid]),
        ("chooser_progress", [run.uid]),
        ("chooser_card", [run.uid, 0]),
        ("chooser_use", [candidate.uid]),
    ]:
        assert client.get(url(name, *args), **ajax).status_code == 403, name
    for name, args in [
        ("chooser_use", [candidate.uid]),
        ("chooser_vary", [candidate.uid]),
        ("chooser_cancel", [run.uid]),
    ]:
        assert client.post(url(name, *args), USE, **ajax).status_code == 403, name
    assert not Asset.objects.exists()
    assert Run.objects.count() == 1


def test_who_may_only_review_starts_and_cancels_nothing(
    browse: Browse, person: Person, candidate: Candidate, template: PromptTemplate
) -> None:
    client = browse(person("rita", "view", "review"))
    ajax = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
    for name, args in [
        ("chooser_vary", [candidate.uid]),
        ("chooser_cancel", [candidate.run.uid]),
        ("chooser_generate", []),
    ]:
        response = client.post(url(name, *args), brief(template), **ajax)
        assert response.status_code == 403, name
    assert Run.objects.count() == 1


def test_visitors_are_sent_to_the_log_in(browse: Browse, candidate: Candidate) -> None:
    for name, args in [
        ("chooser_generate", []),
        ("chooser_run", [candidate.run.uid]),
        ("chooser_use", [candidate.uid]),
        ("chooser_vary", [candidate.uid]),
    ]:
        response = browse(None).post(url(name, *args))
        assert response.status_code == 302
        assert "/login/" in response["Location"]


def test_more_like_a_chosen_picture(admin: Client, published: Asset) -> None:
    candidate = Candidate.objects.get(version__asset=published)
    html = modal(admin, generate="1", vary=candidate.uid.hex)
    assert url("chooser_vary", candidate.uid) in html
    assert 'data-imagepipe-generate-target="autostart"' in html
    response = admin.post(url("chooser_vary", candidate.uid))
    assert response.status_code == 200
    run = Run.objects.get(variation_of=candidate)
    assert run.state == RunState.QUEUED
    assert url("chooser_progress", run.uid) in response.content.decode()


@pytest.mark.parametrize("vary", ["x", "0" * 32, "' OR 1=1", ""])
def test_a_picture_that_cannot_be_varied_leads_to_the_form(
    admin: Client, template: PromptTemplate, vary: str
) -> None:
    html = modal(admin, generate="1", vary=vary)
    assert "autostart" not in html
    assert url("chooser_generate") in html


def test_others_pictures_are_not_varied(
    browse: Browse, person: Person, published: Asset, root: Collection
) -> None:
    other = root.add_child(name="Other")
    client = browse(person("olga", "generate", collection=other))
    candidate = Candidate.objects.get(version__asset=published)
    assert "autostart" not in modal(client, generate="1", vary=candidate.uid.hex)


def test_cancelling(admin: Client, run: Run) -> None:
    response = admin.post(url("chooser_cancel", run.uid))
    assert response.status_code == 200
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert "cancelled" in response.content.decode()
    assert admin.post(url("chooser_cancel", run.uid)).status_code == 200


def test_the_tab_grows_from_simple_to_expert(
    admin: Client, template: PromptTemplate, model: RegisteredModel
) -> None:
    RegisteredModel.objects.create(
        kind="controlnet", slug="house-canny", name="Edges", backend="fake", location="e",
        licence="MIT", state="allowed",
    )  # fmt: skip
    html = modal(admin)
    assert "For experts" in html
    assert "Follow picture 2 as well" in html
    assert "imagepipe-generate-control_image" not in html, "no chooser inside the chooser"
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 90)).save(picture, "PNG")
    file = SimpleUploadedFile("start.png", picture.getvalue(), "image/png")
    expert = {"steps": 3, "start_picture": file, "strength": 40}
    response = admin.post(url("chooser_generate"), brief(template, **expert))
    assert response.status_code == 200, response.content.decode()
    request = Run.objects.get().request
    assert (request["steps"], request["edit"]["mode"]) == (3, "image-to-image")
    wrong = admin.post(url("chooser_generate"), brief(template, steps=999))
    assert wrong.status_code == 422
    assert "less than or equal to 150" in wrong.content.decode()
