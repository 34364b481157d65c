"""The pages of the demonstration, in English and German."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from wagtail.models import Locale, Page, Site

from website.demo.orders import ORDERS, PHOTOGRAPHS
from website.demo.texts import HOME, PROMOTION, STORIES, Story
from website.pages import HomePage, StoryPage
from website.snippets import Promotion

LANGUAGES = ("en", "de")
ALT = {picture.key: picture.alt for picture in (*ORDERS, *PHOTOGRAPHS)}
Images = Mapping[str, Any]


def create_pages(images: Images, *, port: int) -> dict[str, str]:
    """Make what is missing; return the path of the front page by language."""
    homes: dict[str, HomePage] = {}
    for language in LANGUAGES:
        locale, _made = Locale.objects.get_or_create(language_code=language)
        home = HomePage.objects.filter(locale=locale).first()
        homes[language] = home or _create_home(locale, homes.get("en"))
    _point_site_at(homes["en"], port)
    promotions = {language: _promotion(home.locale, images) for language, home in homes.items()}
    for language, home in homes.items():
        if home.hero_id is None and home.promotion_id is None:
            home.hero = images["sailboat"]
            home.hero_use = {"alt_text": ALT["sailboat"][language]}
            home.promotion = promotions[language]
            home.save_revision().publish()
    for story in STORIES:
        _create_story(story, homes, images)
    return {language: f"/{language}/" for language in homes}


def _create_home(locale: Locale, original: HomePage | None) -> HomePage:
    title, lead = HOME[locale.language_code]
    home = HomePage(
        title=title,
        lead=lead,
        slug=f"front-{locale.language_code}",
        locale=locale,
        translation_key=original.translation_key if original else uuid4(),
    )
    Page.get_first_root_node().add_child(instance=home)
    return home


def _point_site_at(home: HomePage, port: int) -> None:
    site = Site.objects.filter(is_default_site=True).first() or Site(is_default_site=True)
    welcome = site.root_page if site.pk else None
    site.hostname, site.port, site.site_name = "127.0.0.1", port, "The Harbour Room"
    site.root_page = home
    site.save()
    if welcome is not None and type(welcome.specific) is Page:
        welcome.delete()  # Wagtail's "Welcome to your new site"


def _promotion(locale: Locale, images: Images) -> Promotion:
    title, text = PROMOTION[locale.language_code]
    promotion, _made = Promotion.objects.get_or_create(
        locale=locale,
        title=title,
        defaults={
            "text": text,
            "picture": images["gift"],
            "picture_use": {"alt_text": ALT["gift"][locale.language_code]},
        },
    )
    return promotion


def _create_story(story: Story, homes: Mapping[str, HomePage], images: Images) -> None:
    translation_key = uuid4()
    for language, home in homes.items():
        existing = StoryPage.objects.child_of(home).filter(slug=story.slugs[language]).first()
        if existing is not None:
            translation_key = existing.translation_key
            continue
        title, lead = story.heads[language]
        page = StoryPage(
            title=title,
            lead=lead,
            slug=story.slugs[language],
            locale=home.locale,
            translation_key=translation_key,
            hero=images[story.hero],
            hero_use={"alt_text": ALT[story.hero][language]},
            body=[
                _block(kind, value, language, images) for kind, value in story.body[language]
            ],
        )
        home.add_child(instance=page)
        page.save_revision().publish()


def _block(kind: str, value: Any, language: str, images: Images) -> dict[str, Any]:
    """Raw StreamField data of one block; pictures are named by their key."""
    if kind == "figure":
        key, caption = value
        value = {"image": _use(key, language, images), "caption": caption}
    elif kind == "gallery":
        items = [_use(key, language, images) for key in value]
        value = [{"type": "item", "value": item, "id": str(uuid4())} for item in items]
    elif kind == "plain_image":
        value = images[value].pk
    return {"type": kind, "value": value, "id": str(uuid4())}


def _use(key: str, language: str, images: Images) -> dict[str, Any]:
    return {"image": images[key].pk, "decorative": False, "alt_text": ALT[key][language]}
