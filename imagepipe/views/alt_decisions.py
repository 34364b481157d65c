"""What a person decided on the curation screen, and how it is taken back.

The last decisions are remembered in the session; each is an action with its audit event, and
so is taking it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _

from imagepipe.assets.actions import MarkDecorative, SetAltText
from imagepipe.assets.models import AltText, Asset, AssetVersion
from imagepipe.exceptions import InvalidState
from imagepipe.seo.alt_text.actions import DismissSuggestion, TakeSuggestion
from imagepipe.seo.alt_text.worklist import Item, site_languages
from imagepipe.seo.models import AltSuggestion
from imagepipe.views.alt_cards import advise

_KEY = "imagepipe_alt_texts"
MOST_UNDONE = 50
MOST_ASIDE = 500


class Decisions:
    """The memory of one session."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session
        self._kept: dict[str, Any] = session.get(_KEY) or _nothing()

    @property
    def aside(self) -> list[str]:
        """Keys of what was decided or skipped: no second look in this session."""
        return list(self._kept["aside"])

    @property
    def done(self) -> int:
        return int(self._kept["done"])

    @property
    def can_undo(self) -> bool:
        return bool(self._kept["stack"])

    def remember(self, item: Item, what: str, before: dict[str, Any]) -> None:
        entry = {"asset": item.asset, "language": item.language, "what": what, **before}
        self._kept["stack"] = [*self._kept["stack"], entry][-MOST_UNDONE:]
        self._kept["aside"] = [*self._kept["aside"], item.key][-MOST_ASIDE:]
        if what != "skip":
            self._kept["done"] += 1
        self._save()

    def last(self) -> dict[str, Any]:
        if not self._kept["stack"]:
            raise InvalidState(_("There is nothing to take back."))
        return self._kept["stack"][-1]

    def forget_last(self) -> None:
        entry = self._kept["stack"].pop()
        key = f"{entry['asset']}:{entry['language']}"
        self._kept["aside"] = [one for one in self._kept["aside"] if one != key]
        if entry["what"] != "skip":
            self._kept["done"] = max(0, self._kept["done"] - 1)
        self._save()

    def forget_aside(self) -> None:
        self._kept["aside"] = []
        self._save()

    def _save(self) -> None:
        self._session[_KEY] = self._kept


def _nothing() -> dict[str, Any]:
    return {"stack": [], "aside": [], "done": 0}


def decide(
    decisions: Decisions, item: Item, user: AbstractBaseUser, data: Mapping[str, Any]
) -> str:
    """Do what the button says; returns a sentence. Raises an ``ImagepipeError``."""
    asset = Asset.objects.select_related("published_version").get(pk=item.asset)
    what, before = data.get("do"), _state(asset, item.language)
    if what == "accept":
        message = _accept(asset, item.language, user, data)
    elif what == "decorative":
        MarkDecorative(asset, user, decorative=True).execute()
        message = _("“%(title)s” is decorative: it is passed over when a page is read out.")
        message %= {"title": asset.title}
    elif what == "dismiss":
        suggestion = _suggestion(asset, item.language, data)
        if suggestion is None:
            raise InvalidState(_("This suggestion is not there any more."))
        DismissSuggestion(suggestion, user).execute()
        message = _("The suggestion was dismissed.")
    elif what == "skip":
        message = _("“%(title)s” was set aside.") % {"title": asset.title}
    else:
        raise InvalidState(_("Choose one of the buttons."))
    decisions.remember(item, str(what), before)
    return message


def undo(decisions: Decisions, user: AbstractBaseUser) -> tuple[Item, str]:
    """Take the last decision back; returns what it was about and a sentence."""
    entry = decisions.last()
    asset, language = Asset.objects.get(pk=entry["asset"]), entry["language"]
    if entry["what"] == "accept":
        version = AssetVersion.objects.filter(pk=entry["version"], asset=asset).first()
        SetAltText(
            asset,
            user,
            texts={language: entry["text"]},
            version=version,
            generated=entry["generated"],
        ).execute()
    elif entry["what"] == "decorative":
        MarkDecorative(asset, user, decorative=False).execute()
    if entry["what"] in ("accept", "dismiss"):
        AltSuggestion.objects.filter(pk__in=entry["open"], asset=asset).update(
            state=AltSuggestion.State.OPEN
        )
    decisions.forget_last()
    codes = site_languages()
    place = codes.index(language) if language in codes else len(codes)
    message = _("The decision about “%(title)s” was taken back.") % {"title": asset.title}
    return Item(asset.pk, place, language), message


def _state(asset: Asset, language: str) -> dict[str, Any]:
    text = AltText.objects.filter(asset=asset, language=language).first()
    open_ones = AltSuggestion.objects.filter(
        asset=asset, language=language, state=AltSuggestion.State.OPEN
    )
    return {
        "text": text.text if text else "",
        "version": text.version_id if text else None,
        "generated": bool(text and text.generated),
        "open": list(open_ones.values_list("pk", flat=True)),
    }


def _accept(
    asset: Asset, language: str, user: AbstractBaseUser, data: Mapping[str, Any]
) -> str:
    text = str(data.get("text", "")).strip()
    if not text:
        raise InvalidState(_("Write a text, or choose “Decorative”."))
    stored = asset.alt_texts().get(language, "")
    if stored != data.get("current", "") and stored != text:
        raise InvalidState(
            _("Somebody else has written “%(text)s” meanwhile. Look at both, then decide.")
            % {"text": stored}
        )
    suggestion = _suggestion(asset, language, data)
    if suggestion is not None:
        TakeSuggestion(suggestion, user, text=text).execute()
    else:
        number = str(data.get("version", ""))
        seen = asset.versions.filter(number=number).first() if number.isdecimal() else None
        SetAltText(asset, user, texts={language: text}, version=seen).execute()
    parts = [_("“%(text)s” was saved.") % {"text": text}, *advise(asset, text, language)]
    return " ".join(parts)


def _suggestion(asset: Asset, language: str, data: Mapping[str, Any]) -> AltSuggestion | None:
    key = str(data.get("suggestion", ""))
    if not key.isdecimal() or len(key) > 18:
        return None
    mine = AltSuggestion.objects.filter(asset=asset, language=language)
    return mine.filter(pk=key, state=AltSuggestion.State.OPEN).first()
