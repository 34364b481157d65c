from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Collection

from imagepipe.prompts.models import PromptTemplate
from imagepipe.registry.models import RegisteredModel
from imagepipe.views.generation_form import GenerateForm
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run, RunState

pytestmark = pytest.mark.django_db
URL = reverse("imagepipe_admin:generate")


@pytest.fixture
def data(template: PromptTemplate) -> dict[str, str]:
    return {
        "title": "Teapot for spring",
        "template": str(template.pk),
        "variable_subject": "red teapot",
        "candidates": "3",
        "priority": "0",
    }


def test_a_valid_form_queues_the_run(data, editor, template, root):
    form = GenerateForm(editor, data | {"seed": "7", "priority": "50"})
    assert form.is_valid(), form.errors
    run = form.start()
    assert (run.title, run.template, run.state) == (
        "Teapot for spring",
        template,
        RunState.QUEUED,
    )
    assert run.request["prompt_used"] == "a red teapot, soft light"
    assert run.request["seeds"][0] == 7
    assert len(run.request["seeds"]) == 3
    assert (run.priority, run.collection, run.created_by) == (50, root, editor)


def test_a_run_is_needed_by_a_moment_that_is_to_come(data, editor, template, root, admin):
    later = timezone.localtime() + dt.timedelta(hours=3)
    form = GenerateForm(editor, data | {"deadline": f"{later:%Y-%m-%dT%H:%M}"})
    assert form.is_valid(), form.errors
    run = form.start()
    assert dt.timedelta(0) <= later - run.deadline < dt.timedelta(minutes=1)
    page = admin.get(reverse("imagepipe_admin:run", args=[run.uid])).content.decode()
    assert "<dt>Needed by</dt>" in page
    for moment, words in (("2001-01-01T00:00", "in the past"), ("soon", "valid date/time")):
        form = GenerateForm(editor, data | {"deadline": moment})
        assert words in str(form.errors["deadline"])


def test_free_words_need_a_model_and_a_prompt(data, editor, model):
    RegisteredModel.objects.create(
        slug="other", name="Other", licence="MIT", location="x", state="allowed"
    )
    form = GenerateForm(editor, data | {"template": "", "prompt": "", "model": ""})
    assert set(form.errors) == {"prompt", "model"}
    assert form.opens_details
    form = GenerateForm(
        editor, data | {"template": "", "prompt": "a blue cup", "model": str(model.pk)}
    )
    assert form.is_valid(), form.errors
    run = form.start()
    assert (run.model, run.template) == (model, None)
    assert run.request["prompt_used"] == "a blue cup"


def test_white_space_is_an_empty_prompt(data, editor, model):
    values = {"template": "", "prompt": " \n\u200b ", "model": str(model.pk)}
    form = GenerateForm(editor, data | values)
    assert "empty" in form.errors["prompt"][0]


def test_a_template_with_a_retired_model_is_an_error_at_the_model(data, editor, model):
    RegisteredModel.objects.update(state=RegisteredModel.State.RETIRED)
    form = GenerateForm(editor, data)
    assert "not allowed for production" in form.errors["model"][0]


def test_choices_and_defaults_of_variables(data, editor, template):
    template.subject = "a {subject} in {colour}, {mood}"
    template.variables = [
        {"name": "colour", "label": "Colour", "choices": ["red", "blue"]},
        {"name": "mood", "default": "calm"},
    ]
    template.save()
    form = GenerateForm(editor, initial={"template": template.pk})
    assert [field.name for field in form.subject_fields()] == [
        "variable_subject",
        "variable_colour",
        "variable_mood",
    ]
    assert form["variable_colour"].label == "Colour"
    assert form["variable_mood"].value() == "calm"
    wrong = GenerateForm(editor, data | {"variable_colour": "green"})
    assert set(wrong.errors) == {"variable_colour"}
    right = GenerateForm(editor, data | {"variable_colour": "blue", "variable_mood": "wild"})
    assert right.is_valid(), right.errors
    assert right.start().request["prompt_used"].startswith("a red teapot in blue, wild")


@pytest.mark.parametrize("field", ["prompt", "variable_subject"])
def test_fifty_thousand_characters_are_refused_and_kept(admin, data, model, field):
    words = "x" * 50_000
    if field == "prompt":
        data |= {"template": "", "model": str(model.pk)}
    response = admin.post(URL, data | {field: words})
    assert response.status_code == 200
    form = response.context["form"]
    assert set(form.errors) == {field}
    assert "at most 2000" in form.errors[field][0]
    assert words in response.content.decode()
    assert not Run.objects.exists()


def test_an_empty_brief_is_refused_and_the_rest_kept(admin, data):
    response = admin.post(URL, data | {"title": "", "variable_subject": ""})
    assert set(response.context["form"].errors) == {"title", "variable_subject"}
    assert 'value="3"' in response.content.decode()
    assert not Run.objects.exists()


def test_posting_leads_to_the_run(admin, data):
    response = admin.post(URL, data)
    run = Run.objects.get()
    assert response.status_code == 302
    assert response.url == reverse("imagepipe_admin:run", args=[run.uid])


def test_only_collections_where_one_may_generate_are_offered(data, person, root):
    own, other = root.add_child(name="Own"), root.add_child(name="Other")
    own.add_child(name="Deeper")
    user = person("ann", "generate", collection=Collection.objects.get(pk=own.pk))
    form = GenerateForm(user)
    assert [c.name for c in form.fields["collection"].queryset] == ["Own", "Deeper"]
    wrong = GenerateForm(user, data | {"collection": str(other.pk)})
    assert set(wrong.errors) == {"collection"}
    right = GenerateForm(user, data | {"collection": str(own.pk)})
    assert right.is_valid(), right.errors
    assert right.start().collection == own


def test_a_single_collection_is_not_asked_for(data, person, root):
    own = root.add_child(name="Own")
    user = person("ann", "generate", collection=own)
    form = GenerateForm(user, data)
    assert "collection" not in form.fields
    assert form.is_valid(), form.errors
    assert form.start().collection == own


def test_nobody_generates_without_the_permission(data, person, browse):
    user = person("rita", "review", "view")
    with pytest.raises(PermissionDenied):
        GenerateForm(user, data)
    for client, target in ((browse(user), "/admin/"), (browse(None), "/admin/login/")):
        for response in (client.get(URL), client.post(URL, data)):
            assert response.status_code == 302
            assert response.url.partition("?")[0] == target
    assert not Run.objects.exists()


def test_the_fields_of_another_template(admin, template):
    url = reverse("imagepipe_admin:template_fields")
    page = admin.get(url, {"template": template.pk}).content.decode()
    assert 'name="variable_subject"' in page
    assert 'name="prompt"' not in page
    page = admin.get(url, {"template": ""}).content.decode()
    assert 'name="prompt"' in page
    assert admin.get(url, {"template": "<script>"}).status_code == 200


def test_markup_in_what_was_typed_stays_text(admin, data, template):
    evil = "<script>alert(1)</script>"
    template.description = evil
    template.save()
    page = admin.post(URL, data | {"title": "", "variable_subject": evil}).content.decode()
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_first_template_is_proposed(admin, template):
    form = admin.get(URL).context["form"]
    assert form.chosen_template == template
    assert admin.get(URL, {"template": ""}).context["form"].chosen_template is None


@pytest.fixture
def companion(model: RegisteredModel) -> RegisteredModel:
    return RegisteredModel.objects.create(
        slug="pastel", name="Pastel", kind="lora", licence="MIT", location="x", state="allowed"
    )


def test_only_checkpoints_are_offered(data, editor, model, companion):
    form = GenerateForm(editor, {"template": ""})
    assert list(form.fields["model"].queryset) == [model]
    assert form.only_model == model
    wrong = GenerateForm(editor, data | {"model": str(companion.pk)})
    assert set(wrong.errors) == {"model"}


def test_a_template_that_names_a_companion_is_an_error_at_the_model(
    data, editor, template, companion
):
    PromptTemplate.objects.update(model=companion)
    form = GenerateForm(editor, data)
    assert "Choose a checkpoint" in form.errors["model"][0]


def test_no_run_starts_with_a_companion(editor, companion, root):
    run = Run(title="Pastel", model=companion, collection=root)
    with pytest.raises(InvalidBrief, match="makes no pictures by itself"):
        StartRun(run, editor, brief=Brief(prompt="a cup")).execute()
    assert not Run.objects.exists()


def test_the_only_model_need_not_be_chosen(data, editor, model):
    form = GenerateForm(editor, data | {"template": "", "prompt": "a cup", "model": ""})
    assert form.is_valid(), form.errors
    assert form.start().model == model
