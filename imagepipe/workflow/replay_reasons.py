"""Sentences about a replay: what the verdict is, and which reason the records suggest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imagepipe.workflow.verdicts import Basis, Verdict

VERDICTS = {
    Verdict.BIT_EXACT: gettext_lazy("Bit-exact"),
    Verdict.PERCEPTUALLY_EQUAL: gettext_lazy("Perceptually equal"),
    Verdict.DIVERGED: gettext_lazy("Diverged"),
    Verdict.REFUSED: gettext_lazy("Not replayed"),
}
BASES = {
    Basis.FILE: gettext_lazy("Every byte of the raw picture is the same."),
    Basis.PIXELS: gettext_lazy("Compared by the pixels of the raw pictures."),
    Basis.MASTER: gettext_lazy(
        "Compared by the pixels of the finished master: the raw picture is not kept any more."
    ),
}
NAMES = {
    "weights": gettext_lazy("Weights of the model"),
    "backend": gettext_lazy("Engine"),
    "backend-version": gettext_lazy("Version of the engine"),
    "scheduler": gettext_lazy("Scheduler"),
    "precision": gettext_lazy("Precision"),
    "device": gettext_lazy("Device"),
    "hardware": gettext_lazy("Hardware"),
    "platform": gettext_lazy("Platform"),
    "threads": gettext_lazy("Threads"),
}
REFUSALS = {
    "model-missing": gettext_lazy(
        "The model “%(name)s” is not registered here, or not allowed. Register the folder "
        "whose content has the SHA-256 %(then)s."
    ),
    "weights": gettext_lazy(
        "The weights of the model “%(name)s” have changed: the recipe names %(then)s…, found "
        "was %(now)s…. Put the old files back, or replay with other weights on purpose."
    ),
    "picture-missing": gettext_lazy(
        "A picture that went in is not kept here any more (SHA-256 %(then)s)."
    ),
    "original-missing": gettext_lazy(
        "The raw picture is not kept any more, and the finished one was put together with "
        "another picture, so there is nothing to compare with."
    ),
    "recipe-changed": gettext_lazy(
        "The recipe is not the one that was recorded with the picture."
    ),
    "impossible": gettext_lazy("The engine cannot follow the recipe. %(name)s"),
}
SHOWN_DIGITS = 12


def label(output: Mapping[str, Any]) -> str:
    """The verdict in a word or two."""
    return str(VERDICTS[Verdict(output["verdict"])])


def reason(output: Mapping[str, Any]) -> str:
    """The reason that the records suggest, in a sentence; never empty."""
    verdict = Verdict(output["verdict"])
    if verdict is Verdict.REFUSED:
        return _refusal(output["refusal"])
    found = differences(output)
    if verdict is Verdict.BIT_EXACT:
        if not found:
            return _("Everything was as recorded.")
        return _("This made no difference: %(changes)s.") % {"changes": "; ".join(found)}
    if found:
        return _("The likely reason: %(changes)s.") % {"changes": "; ".join(found)}
    if not output["reproducible"]:
        return _("This engine does not promise to make the same picture twice.")
    return _(
        "Everything was as recorded, so the engine does not repeat itself, or the recipe "
        "does not hold everything. Look for jobs that shared the accelerator, and report it."
    )


def differences(output: Mapping[str, Any]) -> list[str]:
    """What differs between then and now, as short phrases, the likeliest cause first."""
    return [_phrase(one) for one in output.get("differences", ())]


def measures(output: Mapping[str, Any]) -> str:
    """What was compared, with the numbers where the bits differ."""
    if output["verdict"] == Verdict.REFUSED:
        return ""
    text = str(BASES[Basis(output["basis"])])
    if output["verdict"] == Verdict.BIT_EXACT:
        return text
    return text + " " + _(
        "Structural similarity %(ssim).4f of 1, %(bits)d of 64 bits of the perceptual hash "
        "differ."
    ) % {"ssim": output["ssim"], "bits": output["hash_bits"]}


def _phrase(one: Mapping[str, Any]) -> str:
    name = str(NAMES.get(one["code"], one["name"] or one["code"]))
    if one["then"] in (None, ""):
        return _("%(name)s: %(now)s now, not recorded then") % {
            "name": name,
            "now": _short(one["now"]),
        }
    if one["now"] in (None, ""):
        return _("%(name)s: %(then)s then, missing now") % {
            "name": name,
            "then": _short(one["then"]),
        }
    return _("%(name)s: %(then)s then, %(now)s now") % {
        "name": name,
        "then": _short(one["then"]),
        "now": _short(one["now"]),
    }


def _short(value: Any) -> str:
    """Hashes by their first digits, anything else as it is."""
    text = str(value)
    is_hash = len(text) == 64 and not set(text) - set("0123456789abcdef")
    return f"{text[:SHOWN_DIGITS]}…" if is_hash else text


def _refusal(refusal: Mapping[str, str]) -> str:
    facts = {
        "name": refusal.get("name", ""),
        "then": refusal.get("then", ""),
        "now": refusal.get("now", ""),
    }
    if refusal["code"] == "weights":
        facts |= {key: facts[key][:SHOWN_DIGITS] for key in ("then", "now")}
    return str(REFUSALS[refusal["code"]]) % facts
