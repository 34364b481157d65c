"""Keeping suggestions, taking them, leaving them, and having many made."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.utils.translation import gettext as _

from imagepipe.actions.base import Action
from imagepipe.assets.actions import SetAltText
from imagepipe.assets.models import AltText, Asset
from imagepipe.assets.staleness import outdated
from imagepipe.conf import get_settings
from imagepipe.exceptions import InvalidState
from imagepipe.seo.alt_text.suggesting import Outcome
from imagepipe.seo.models import AltSuggestion

State = AltSuggestion.State


class KeepSuggestions(Action[Asset, int]):
    """Store what was suggested for a picture; returns how many texts there are to decide.

    The texts of the picture stay as they are, unless the settings say that strong suggestions
    are published unseen: then languages without a current text get them, marked.
    """

    action_name = "imagepipe.alt_suggest"
    permission_policy_action = "change"

    def __init__(
        self, asset: Asset, user: AbstractBaseUser | None, *, outcome: Outcome
    ) -> None:
        super().__init__(asset, user)
        self.outcome = outcome

    def perform(self) -> int:
        for made in self.outcome.made:
            AltSuggestion.objects.update_or_create(
                asset=self.instance,
                language=made.language,
                captioner=made.captioner,
                defaults={
                    "version": self.outcome.version,
                    "text": made.caption.text,
                    "reason": made.caption.reason,
                    "words": [
                        {"source": words.source, "text": words.text}
                        for words in made.caption.words
                    ],
                    "is_weak": made.caption.is_weak,
                    "fingerprint": made.fingerprint,
                    "state": State.OPEN,
                },
            )
        texts = [made for made in self.outcome.made if made.caption.text]
        self.audit_data = {
            "version": self.outcome.version.number,
            "languages": sorted({made.language for made in texts}),
            "captioners": sorted({made.captioner for made in texts}),
        }
        if get_settings().ALT_TEXT_PUBLISH == "generated":
            self._publish()
        return len(texts)

    def _publish(self) -> None:
        """Set texts that nobody has seen; what a person wrote is never replaced."""
        asset = self.instance
        stale = outdated(asset, self.outcome.version)
        theirs = AltText.objects.filter(asset=asset, generated=False).exclude(text="")
        taken = set(theirs.values_list("language", flat=True))
        current = set(asset.generated_alt_texts()) - stale
        texts: dict[str, str] = {}
        for made in self.outcome.made:
            caption = made.caption
            if caption.text and not caption.is_weak and made.language not in taken | current:
                texts.setdefault(made.language, caption.text)
        if texts and not asset.decorative:
            SetAltText(
                asset, self.user, texts=texts, version=self.outcome.version, generated=True
            ).execute(skip_permission_checks=True)


class TakeSuggestion(Action[AltSuggestion, Asset]):
    """Make a suggestion the text of the picture, as it is or as ``text`` says."""

    action_name = "imagepipe.alt_take"
    permission_policy_action = "change"

    def __init__(
        self,
        suggestion: AltSuggestion,
        user: AbstractBaseUser | None,
        *,
        text: str | None = None,
    ) -> None:
        super().__init__(suggestion, user)
        self.text = text

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> Asset:
        suggestion = AltSuggestion.objects.select_for_update().get(pk=self.instance.pk)
        text = (suggestion.text if self.text is None else self.text).strip()
        if not text:
            raise InvalidState(_("There is nothing to take: write the text."))
        asset = SetAltText(
            suggestion.asset,
            self.user,
            texts={suggestion.language: text},
            version=suggestion.version,
        ).execute(skip_permission_checks=True)
        suggestion.state = State.TAKEN
        suggestion.save(update_fields=["state"])
        self.instance.refresh_from_db()
        self.audit_data = {
            "language": suggestion.language,
            "captioner": suggestion.captioner,
            "suggested": suggestion.text,
            "changed": text != suggestion.text,
        }
        return asset


class DismissSuggestion(Action[AltSuggestion, AltSuggestion]):
    """Say that a suggestion is of no use; another picture in its place brings a new one."""

    action_name = "imagepipe.alt_dismiss"
    permission_policy_action = "change"

    def permission_subject(self) -> models.Model:
        return self.instance.asset

    def audit_chain(self) -> str:
        return self.instance.asset.uid.hex

    def perform(self) -> AltSuggestion:
        suggestion = AltSuggestion.objects.select_for_update().get(pk=self.instance.pk)
        suggestion.state = State.DISMISSED
        suggestion.save(update_fields=["state"])
        self.instance.refresh_from_db()
        self.audit_data = {
            "language": suggestion.language,
            "captioner": suggestion.captioner,
            "suggested": suggestion.text,
        }
        return suggestion
