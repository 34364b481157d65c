"""What people type never becomes markup, wherever it is shown."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.test import TestCase
from django.urls import reverse

from imagepipe.assets.actions import SetAltText
from imagepipe.delivery.actions import PublishVersion, WithdrawAsset
from imagepipe.registry.models import RegisteredModel
from imagepipe.rights.actions import SetRights
from imagepipe.workflow.actions import AcceptCandidate, RejectCandidate
from imagepipe.workflow.models import Candidate, Run

pytestmark = pytest.mark.django_db
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture
def addresses(start, finish, editor, template, root) -> list[str]:
    """Pages about a run and a picture that carry hostile words wherever words are possible."""
    template.name = template.description = EVIL[:100]
    template.save()
    RegisteredModel.objects.update(name=EVIL[:100], licence=EVIL[:100])
    root.name = EVIL
    root.save()
    run = finish(start(subject=EVIL, title=EVIL, candidates=2))
    assert run.state == "succeeded", run.error
    findings = [{"check": EVIL, "outcome": "refused", "code": EVIL, "message": EVIL}]
    Candidate.objects.update(findings=findings)
    first, second = run.candidates.order_by("index")
    RejectCandidate(second, editor, reason="other", note=EVIL).execute()
    version = AcceptCandidate(first, editor, title=EVIL, note=EVIL).execute()
    asset = version.asset
    SetAltText(asset, editor, texts={"en": EVIL}).execute()
    rights = {"licence": EVIL, "rights_holder": EVIL, "credit": EVIL}
    SetRights(asset, editor, values=rights).execute()
    with TestCase.captureOnCommitCallbacks(execute=True):
        PublishVersion(version, editor).execute()
        WithdrawAsset(asset, editor, reason=EVIL).execute()
    Run.objects.update(error=EVIL, message=EVIL)
    return [
        reverse(f"imagepipe_admin:{name}", args=args)
        for name, args in (
            ("generate", ()), ("runs", ()), ("assets", ()), ("models", ()), ("history", ()),
            ("routes", ()),
            ("run", (run.uid,)), ("candidate_card", (run.uid, 1)), ("candidate", (first.uid,)),
            ("candidate", (second.uid,)), ("asset", (asset.uid,)),
            ("asset_rights", (asset.uid,)), ("asset_alt", (asset.uid,)),
        )
    ]  # fmt: skip


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_words_stay_words_and_nothing_of_ours_is_inline(admin, addresses):
    for address in addresses:
        response = admin.get(address)
        assert response.status_code == 200, address
        page = response.content.decode()
        assert "alert(2)" in page, address
        main = page[page.index("<main") : page.index("</main>")] if "<main" in page else page
        for tag, attributes in Elements(main).found:
            assert tag != "script", address
            assert attributes.get("src") != "x", address
            assert not [name for name in attributes if name.startswith("on")], address
            assert "style" not in attributes, address
        for _tag, attributes in Elements(page).found:
            assert "onerror" not in attributes, address
