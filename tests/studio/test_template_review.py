"""Templates and profiles are drafted, reviewed and published as pages are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from wagtail.models import GroupApprovalTask, Workflow, WorkflowContentType, WorkflowTask

from imagepipe.prompts.models import PromptTemplate
from imagepipe.prompts.preview import preview
from imagepipe.workflow.actions import StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.exceptions import InvalidBrief
from imagepipe.workflow.models import Run

pytestmark = pytest.mark.django_db
BASE = "wagtailsnippets_imagepipe_prompttemplate"
FIELDS = (
    "name", "slug", "description", "subject", "composition", "light", "style", "lens",
    "material", "postprocessing", "negative", "width", "height", "steps", "guidance",
    "seed_policy",
)  # fmt: skip


def form_values(template: PromptTemplate, **changes: Any) -> dict[str, Any]:
    values = {name: getattr(template, name) for name in FIELDS}
    return values | {"variables": "[]", "model": template.model_id, "seed": ""} | changes


@pytest.fixture
def author(person: Callable[..., User]) -> User:
    """Writes templates and asks for pictures, but may not publish templates."""
    user = person("anna", "generate", "view")
    names = [f"{verb}_prompttemplate" for verb in ("add", "change", "view")]
    user.groups.get().permissions.add(*Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def reviewers(editor: User) -> Group:
    """Who decides about templates in the workflow that is set for them."""
    group = Group.objects.create(name="Prompt reviewers")
    editor.groups.add(group)
    task = GroupApprovalTask.objects.create(name="Read it")
    task.groups.add(group)
    workflow = Workflow.objects.create(name="Prompts")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=0)
    content_type = ContentType.objects.get_for_model(PromptTemplate)
    WorkflowContentType.objects.create(workflow=workflow, content_type=content_type)
    return group


def test_a_draft_changes_nothing_until_a_reviewer_approves_it(
    browse: Callable[[User], Client], author: User, admin: Client, reviewers: Group,
    template: PromptTemplate,
) -> None:  # fmt: skip
    before = template.light
    edit = reverse(f"{BASE}:edit", args=[template.pk])
    values = form_values(template, light="hard light")
    writer = browse(author)
    assert writer.post(edit, values | {"action-publish": "1"}).status_code == 302
    template.refresh_from_db()
    assert (template.light, template.has_unpublished_changes) == (before, True)
    assert writer.post(edit, values | {"action-submit": "1"}).status_code == 302
    state = template.current_workflow_state
    assert state is not None
    task = state.current_task_state
    decide = reverse(
        f"{BASE}:workflow_action", args=[template.pk, "approve", task.pk]
    )
    writer.post(decide, {"comment": "fine"})
    template.refresh_from_db()
    assert template.light == before
    admin.post(decide, {"comment": "fine"})
    template.refresh_from_db()
    assert (template.light, template.has_unpublished_changes) == ("hard light", False)


def test_what_is_not_published_is_not_offered_and_makes_no_pictures(
    admin: Client, editor: User, template: PromptTemplate
) -> None:
    template.unpublish(user=editor)
    form = admin.get(reverse("imagepipe_admin:generate")).context["form"]
    assert template not in form.fields["template"].queryset
    with pytest.raises(InvalidBrief, match="not published"):
        StartRun(Run(title="t", template=template), editor, brief=Brief()).execute()
    assert not Run.objects.exists()


def test_the_preview_says_the_prompt_segment_by_segment(
    admin: Client, template: PromptTemplate
) -> None:
    template.subject, template.light = "{thing} by {place}", "soft light"
    template.negative, template.variables = "no {thing}", [
        {"name": "thing", "label": "What", "default": "a boat"}
    ]  # fmt: skip
    shown = preview(template)
    assert shown.prompt.startswith("a boat by ‹place›, soft light")
    assert shown.negative == "no a boat"
    assert dict(shown.segments)["light"] == "soft light"
    assert shown.variables == (("What", "a boat"), ("place", "‹place›"))
    template.save_revision().publish()
    revision = template.latest_revision
    page = admin.get(reverse(f"{BASE}:revisions_view", args=[template.pk, revision.pk]))
    assert "a boat by ‹place›, soft light" in page.content.decode()
    template.light = "{broken"
    assert "not a variable" in preview(template).error
