from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from edge.scene import scene_of
from imagepipe.assets.models import Asset, AssetVersion
from imagepipe.audit.models import AuditEvent
from imagepipe.delivery.actions import PublishVersion
from imagepipe.delivery.crop_actions import RemoveCrop, RestoreCrop, SetCrop
from imagepipe.delivery.crop_models import NamedCrop, crops_of
from imagepipe.delivery.documents import build_document
from imagepipe.delivery.models import Publication
from imagepipe.delivery.outbox import request_overdue
from imagepipe.delivery.reconcile import reconcile_now
from imagepipe.exceptions import ImagepipeError, InvalidState
from imagepipe.provenance.keys import load_keyring
from imagepipe.urlspec import ImagePath, plan, verify_url
from tests.delivery.library import Library, loose_image, png

LEFT_HALF = (0, 0, 5000, 10000)
EDGE = "https://edge.example"


@pytest.fixture
def asset(library: Library) -> Asset:
    """Published, 1600 × 800."""
    asset = library.asset()
    version = library.version(asset, png(1600, 800))
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    return asset


@pytest.fixture
def version(asset: Asset) -> AssetVersion:
    assert asset.published_version is not None
    return asset.published_version


def render(text: str, **context: Any) -> str:
    return Template("{% load imagepipe_tags %}" + text).render(Context(context))


def address(html: str) -> ImagePath:
    """What the `<img>` shows; its size is what the page says."""
    text = html.partition("<img")[2]
    values = {name: text.partition(f' {name}="')[2].partition('"')[0] for name in SAID}
    path = verify_url(values["src"].removeprefix(EDGE), load_keyring(), 0)
    assert int(values["width"]) > 0 and int(values["height"]) > 0
    return path


SAID = ("src", "width", "height")


def size_said(html: str) -> tuple[int, int]:
    text = html.partition("<img")[2]
    width, height = (text.partition(f' {name}="')[2].partition('"')[0] for name in SAID[1:])
    return int(width), int(height)


def test_a_crop_is_brought_to_its_ratio_inside_what_was_chosen(
    library: Library, version: AssetVersion
) -> None:
    crop = library.do(SetCrop(version, None, name="square", region=LEFT_HALF))
    assert crop.region == (0, 0, 5000, 10000)  # 800 × 800 of 1600 × 800
    wide = library.do(SetCrop(version, None, name="hero", region=LEFT_HALF))
    assert wide.region == (0, 2188, 5000, 5625)  # 800 × 450
    assert crops_of(version) == {"hero": wide.region, "square": crop.region}


def test_a_crop_reaches_page_and_grant_and_both_agree(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    before = address(render('{% picture image "square" %}', image=asset.image))
    assert before.transform.crop is None
    region = (5000, 0, 5000, 10000)
    library.do(SetCrop(version, None, name="square", region=region))
    reconcile_now(asset=asset)
    html = render('{% picture image "square" %}', image=asset.image)
    transform = address(html).transform
    assert transform.crop == "square"
    [granted] = library.grant(asset).versions
    assert granted.crops == {"square": region}
    made = plan(1600, 800, transform, scene_of(granted))
    assert size_said(html) == (made.width, made.height) == (640, 640)
    assert made.crop_box[0] == made.scale_width // 2  # the right half
    hero = address(render('{% picture image "hero" %}', image=asset.image))
    assert hero.transform.crop is None


def test_a_narrow_variant_and_the_preload_and_the_card_know_it(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    library.do(SetCrop(version, None, name="square", region=LEFT_HALF))
    library.do(SetCrop(version, None, name="hero", region=LEFT_HALF))
    library.do(SetCrop(version, None, name="social", region=LEFT_HALF))
    html = render('{% picture image "hero" narrow="square" %}', image=asset.image)
    assert html.count("r_square") and html.count("r_hero")
    preload = render('{% picture_preload image "hero" %}', image=asset.image)
    first = preload.partition('imagesrcset="')[2].partition('"')[0]
    assert first and first in html
    card = render("{% picture_card image %}", image=asset.image)
    assert "r_social" in card and 'content="800"' in card and 'content="420"' in card


def test_what_a_use_says_goes_before_the_picture_s_own(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    library.do(SetCrop(version, None, name="square", region=LEFT_HALF))
    image = asset.image
    assert image is not None
    shown: dict[str, Any] = {}
    for name, crop, crops in (
        ("own", None, {}),
        ("crop", (0, 0, 4000, 4000), {}),
        ("named", (0, 0, 4000, 4000), {"square": (2000, 2000, 3000, 6000)}),
        ("other name", None, {"hero": (0, 0, 5000, 5625)}),
    ):
        image.contextual_crop, image.contextual_crops = crop, crops
        html = render('{% picture image "square" %}', image=image)
        shown[name] = address(html).transform.crop
    assert shown == {
        "own": "square",
        "crop": (0, 0, 4000, 4000),
        "named": (2000, 2000, 3000, 6000),
        "other name": "square",
    }


def test_another_ratio_in_the_template_leaves_the_crop_out(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    library.do(SetCrop(version, None, name="square", region=LEFT_HALF))
    for text, crop in (
        ('{% picture image "square" ratio="3:1" %}', None),
        ('{% picture image "square" crop="none" %}', None),
        ('{% picture image "content" crop="square" %}', "square"),
    ):
        assert address(render(text, image=asset.image)).transform.crop == crop, text


def test_the_whole_picture_may_be_a_crop(library: Library) -> None:
    asset = library.asset()
    version = library.version(asset, png(1600, 900))
    library.do(PublishVersion(version, None))
    asset.refresh_from_db()
    whole = (0, 0, 10000, 10000)
    assert library.do(SetCrop(version, None, name="hero", region=whole)).region == whole
    html = render('{% picture image "hero" %}', image=asset.image)
    assert (address(html).transform.crop, size_said(html)) == ("hero", (1600, 900))


def test_a_new_version_starts_without_crops_and_the_old_one_keeps_its_own(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    library.do(SetCrop(version, None, name="square", region=LEFT_HALF))
    newer = library.version(asset, png(1600, 800))
    prepared = library.do(SetCrop(newer, None, name="hero", region=LEFT_HALF))
    assert build_document(asset)["crops"] == {"square": list(LEFT_HALF)}
    library.do(PublishVersion(newer, None))
    asset.refresh_from_db()
    assert library.publication(asset).document["crops"] == {"hero": list(prepared.region)}
    reconcile_now(asset=asset)
    granted = {one.sha256: dict(one.crops) for one in library.grant(asset).versions}
    assert granted == {
        newer.sha256: {"hero": prepared.region},
        version.sha256: {"square": LEFT_HALF},
    }


def test_every_crop_is_kept_audited_and_can_be_restored(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    user = User.objects.create_superuser("erika")
    first = library.do(SetCrop(version, user, name="square", region=LEFT_HALF))
    second = library.do(SetCrop(version, user, name="square", region=(5000, 0, 5000, 10000)))
    library.do(RestoreCrop(first, user))
    assert crops_of(version) == {"square": first.region}
    library.do(RemoveCrop(version, user, name="square"))
    assert crops_of(version) == {} == build_document(asset)["crops"]
    library.do(RestoreCrop(second, None))
    assert crops_of(version) == {"square": second.region}
    assert NamedCrop.objects.count() == 4
    events = AuditEvent.objects.filter(chain=asset.uid.hex, action__contains="crop")
    told = [(event.action, event.data["region"], event.data["before"]) for event in events]
    one, two = list(first.region), list(second.region)
    assert told == [
        ("imagepipe.set_crop", one, None),
        ("imagepipe.set_crop", two, one),
        ("imagepipe.restore_crop", one, two),
        ("imagepipe.remove_crop", None, one),
        ("imagepipe.restore_crop", two, None),
    ]
    with pytest.raises(InvalidState, match="in use already"):
        RestoreCrop(NamedCrop.objects.get(replaced_at=None), None).execute()
    library.do(RemoveCrop(version, None, name="square"))
    with pytest.raises(InvalidState, match="no crop of this name"):
        RemoveCrop(version, None, name="square").execute()


@pytest.mark.parametrize(
    ("name", "region", "says"),
    [
        ("poster", LEFT_HALF, "known are hero, card, square, social"),
        ("square", (0, 0, 10001, 100), "no part of the picture"),
        ("square", (-1, 0, 500, 500), "no part of the picture"),
        ("square", (0, 0, 99, 5000), "no part of the picture"),
    ],
)
def test_nonsense_is_refused_in_words(
    version: AssetVersion, name: str, region: Any, says: str
) -> None:
    with pytest.raises(ImagepipeError, match=says):
        SetCrop(version, None, name=name, region=region).execute()
    assert not NamedCrop.objects.exists()


def test_the_database_keeps_one_crop_of_a_name_and_only_parts_of_the_picture(
    version: AssetVersion,
) -> None:
    row = {"version": version, "name": "a", "left": 0, "top": 0, "width": 9, "height": 9}
    NamedCrop.objects.create(**row)
    for wrong in ({}, {"name": "b", "left": 9999}, {"name": "b", "height": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            NamedCrop.objects.create(**row | wrong)


def test_a_crop_whose_event_was_lost_is_told_later(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    Publication.objects.update(changed_at=timezone.now() - dt.timedelta(minutes=1))
    SetCrop(version, None, name="square", region=LEFT_HALF).execute()  # no on_commit here
    assert "square" not in library.publication(asset).document["crops"]
    assert request_overdue() == 1
    assert library.publication(asset).document["crops"] == {"square": list(LEFT_HALF)}
    assert request_overdue() == 0


def test_fifty_cropped_pictures_cost_one_query_when_cold_and_none_when_warm(
    library: Library, asset: Asset, version: AssetVersion
) -> None:
    images = []
    for number in range(50):
        one = library.asset(image=loose_image(title=f"{number}"))
        shown = library.version(one, png(200, 100), state="published")
        Asset.objects.filter(pk=one.pk).update(published_version=shown)
        SetCrop(shown, None, name="square", region=LEFT_HALF).execute()
        one.refresh_from_db()
        document = {**build_document(one), "changed": 1}
        Publication.objects.create(asset=one, document=document, desired=1)
        images.append(one.image)
    text = (
        "{% prefetch_pictures images %}"
        '{% for image in images %}{% picture image "square" narrow="hero" %}{% endfor %}'
    )
    for expected in (1, 0):
        with CaptureQueriesContext(connection) as captured:
            html = render(text, images=images)
        assert len(captured) == expected
        assert html.count("<img") == 50 and html.count("r_square") >= 150
