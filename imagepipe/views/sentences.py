"""Sentences that a worker wrote down in English, in the language of whoever reads them.

A run outlives the request that started it and is read by people of several languages, so what
it says about itself is stored in English: by steps, by generation backends and by the prompt
policy. A sentence that is not listed here, such as one of a third party, is shown as it is.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from imagepipe.views.engine_sentences import ENGINES_ELSEWHERE
from imagepipe.views.model_sentences import REGISTERING

LONGEST = 4000
"""Characters; a longer text is no sentence of ours."""

PROGRESS = (
    gettext_noop("Picture %(number)d: step %(step)d of %(steps)d"),
    gettext_noop("Scaling to %(width)d×%(height)d"),
    gettext_noop("Marking the picture as generated"),
    gettext_noop("Checking the picture"),
    gettext_noop("Preparing the picture to start from"),
    gettext_noop("Preparing the control picture"),
    gettext_noop("Putting the picture together"),
    gettext_noop("Waiting for another worker"),
    gettext_noop("Describing picture %(number)d of %(count)d"),
    gettext_noop("Publishing picture %(number)d of %(count)d"),
)

FAILURES = (
    gettext_noop("The run was cancelled."),
    gettext_noop(
        "The run lost its worker %(count)d times and was given up. Smaller pictures need less "
        "memory; the log of the worker says more."
    ),
    gettext_noop("Something unexpected happened."),
    gettext_noop("Something unexpected happened; the log has the details under %(uid)s."),
    gettext_noop("The graph of this run was changed after it was started."),
    gettext_noop("There is no step of the kind “%(kind)s”. Known are: %(known)s."),
    gettext_noop("The storage of pictures does not answer."),
    gettext_noop("A picture of this run is missing from the storage."),
    gettext_noop("A picture of this run is damaged in the storage."),
    gettext_noop("The picture to start from is missing from the storage."),
    gettext_noop("The picture to start from has another size than expected."),
    gettext_noop("The marked region is too small. Mark a larger one."),
    gettext_noop("What the model has painted does not fit its place."),
    gettext_noop(
        "Pictures cannot be signed: keys are missing. Run “manage.py imagepipe keys”."
    ),
)

POLICY = (
    gettext_noop("The prompt was refused, nothing was generated. %(reasons)s"),
    gettext_noop("“%(shown)s” is not allowed. %(explanation)s"),
    gettext_noop(
        "The prompt has %(length)d characters; at most %(limit)d are possible. Shorten it."
    ),
    gettext_noop("The prompt is empty. Say what the picture shall show."),
    gettext_noop("Nudity and sexual content are not made here."),
    gettext_noop("Depictions of cruelty, killing and self-harm are not made here."),
    gettext_noop("Symbols and slogans of hate are not made here."),
    gettext_noop("Young people are never shown in a sexual context."),
    gettext_noop(
        "Names of brands and protected characters need the owner's consent. Describe the thing "
        "without its name."
    ),
)

REQUESTS = (
    gettext_noop("“%(mode)s” is not a kind of generation."),
    gettext_noop("The mode %(mode)s needs a picture to start from."),
    gettext_noop("Inpainting needs a mask."),
    gettext_noop("%(what)s must be a whole number from %(lowest)s to %(highest)s."),
    gettext_noop("%(what)s must be a number from %(lowest)s to %(highest)s."),
    gettext_noop("%(what)s must be text."),
    gettext_noop("%(what)s has %(length)d characters; at most %(limit)d are possible."),
    gettext_noop("%(what)s contains broken characters. Type it again."),
    gettext_noop("This backend cannot use control pictures with this model."),
    gettext_noop("This backend cannot use adapters with this model."),
    gettext_noop("This backend cannot use reference pictures with this model."),
    gettext_noop("This backend cannot do %(mode)s."),
    gettext_noop("%(size)s is too large; at most %(limit)d pixels are possible."),
    gettext_noop(
        "%(size)s is not possible with this model: width and height must be multiples of "
        "%(multiple)d."
    ),
    gettext_noop("%(number)d steps are too many; at most %(limit)d are possible."),
    gettext_noop("This model does not understand negative prompts. Leave it empty."),
    gettext_noop("This model has no guidance rescale. Set it to 0."),
    gettext_noop("The scheduler “%(scheduler)s” is unknown here. Known: %(known)s."),
    gettext_noop(
        "The scheduler “%(scheduler)s” does not fit this model. Fitting are: %(fitting)s."
    ),
    gettext_noop(
        "The model reads %(limit)d tokens; the negative prompt has %(tokens)d, so its end was "
        "ignored."
    ),
    gettext_noop(
        "The model reads %(limit)d tokens; the prompt has %(tokens)d, so its end was ignored."
    ),
)

EDITS = (
    gettext_noop("%(what)s cannot be read. Use a PNG, JPEG, WebP or AVIF file."),
    gettext_noop("%(what)s has more than %(limit)s MB."),
    gettext_noop(
        "%(what)s is too large: %(size)s; at most %(limit)s million pixels are possible."
    ),
    gettext_noop("%(what)s is %(size)s, but %(needed)s is needed."),
    gettext_noop("A control picture has to end after its start."),
    gettext_noop(
        "A strength of %(strength)s leaves none of %(steps)s steps. Choose more of either."
    ),
    gettext_noop("All reference pictures of one request share one IP-Adapter and one weight."),
    gettext_noop(
        "Control pictures of kind “%(kind)s” are not computed here. Upload one. Computed "
        "are: %(known)s."
    ),
    gettext_noop("Control pictures of kind “%(kind)s” are unknown. Known: %(known)s."),
    gettext_noop(
        "The detector for control pictures of kind “%(kind)s” cannot be imported."
    ),
    gettext_noop("Guidance rescale has no effect in this mode with this model."),
    gettext_noop("Inpainting keeps the size of the picture: %(size)s, not %(asked)s."),
    gettext_noop("Reference pictures need an IP-Adapter that reads them."),
    gettext_noop("The adapter “%(adapter)s” does not fit this model: %(error)s"),
    gettext_noop("The offset must be two whole numbers."),
    gettext_noop(
        "The picture (%(size)s) does not lie within the new canvas (%(canvas)s). Choose a "
        "larger canvas or another place."
    ),
    gettext_noop("This machine has no attention “%(attention)s”. Set it to “auto”."),
    gettext_noop("This model cannot use adapters of kind “%(kind)s”."),
    gettext_noop("This model cannot use control pictures in the mode %(mode)s."),
    gettext_noop("This model cannot use reference pictures in the mode %(mode)s."),
    gettext_noop(
        "“%(folder)s” is no ControlNet for this model (%(found)s instead of %(needed)s)."
    ),
    gettext_noop("“%(kind)s” is not a kind of adapter."),
    gettext_noop("“%(folder)s” must hold exactly one .safetensors file, not %(count)s."),
    gettext_noop("%(number)s %(things)s are too many; at most %(limit)s are possible."),
)

MODELS = (
    gettext_noop(
        "The files of the model “%(model)s” have changed since it was registered: expected "
        "%(expected)s…, found %(found)s…."
    ),
    gettext_noop("The model in “%(folder)s” cannot be loaded: %(error)s"),
    gettext_noop(
        "The model “%(model)s” is not on this machine: there is no such folder, and the hub's "
        "local cache does not have it. Download it first."
    ),
    gettext_noop("The model has no location. Give a folder or a hub id."),
    gettext_noop("The model folder “%(folder)s” does not exist."),
    gettext_noop("The model folder holds no weights (no .safetensors file)."),
    gettext_noop("The model brings its own code (%(file)s), which is never run."),
    gettext_noop(
        "The weights %(file)s are not safetensors. Convert the model to safetensors first."
    ),
    gettext_noop("scheduler_config.json does not name a scheduler."),
    gettext_noop("%(file)s is too large for a configuration."),
    gettext_noop("%(file)s is missing: this is not a complete model folder."),
    gettext_noop("%(file)s cannot be read: %(error)s."),
    gettext_noop("%(file)s is not a configuration."),
)

ENGINES = (
    gettext_noop("There is no backend “%(backend)s”. Known are: %(known)s."),
    gettext_noop("The backend “%(backend)s” cannot be used: %(package)s is not installed."),
    gettext_noop("The backend “%(backend)s” is set up wrongly: %(error)s"),
    gettext_noop(
        "torch and diffusers cannot be imported. Install the extra “diffusers”, and no "
        "torchvision that does not match torch. (%(error)s)"
    ),
    gettext_noop("There is not enough memory to load the model."),
    gettext_noop("The accelerator's memory is too small for the model."),
    gettext_noop(
        "There is not enough memory for %(size)s. Choose a smaller size, or try again when "
        "less is running."
    ),
    gettext_noop("The model answered with %(actual)s instead of %(wanted)s."),
    gettext_noop(
        "The computation left the range of numbers. Try another scheduler, more steps or less "
        "guidance."
    ),
)

IMPORTS = (
    gettext_noop("The recipe names more than can be put together again."),
    gettext_noop("“%(kind)s” is not a kind of adapter."),
    gettext_noop("The file is larger than %(size)d MiB."),
    gettext_noop("The JSON is longer than %(limit)d characters."),
    gettext_noop("The text is longer than %(limit)d characters."),
    gettext_noop("This is not JSON, or it is nested too deeply."),
    gettext_noop("The workflow has more than %(limit)d nodes."),
    gettext_noop("The workflow has more than %(limit)d nodes, or many links."),
    gettext_noop("The workflow has no sampler, so it makes no picture."),
    gettext_noop("There is nothing to read. Paste a text, or choose a file."),
    gettext_noop("This JSON is no recipe of a known tool."),
    gettext_noop("This is neither a PNG, JPEG or WebP picture nor a text file."),
    gettext_noop(
        "The text has no line that begins with “Steps: ”, so it is no recipe of A1111."
    ),
    gettext_noop(
        "There is no recipe in this file. Pictures lose it when they are edited or sent "
        "through a messenger; drop the file as the tool has written it, or paste the text."
    ),
)

NOUNS = (
    gettext_noop("The seed"),
    gettext_noop("The width"),
    gettext_noop("The height"),
    gettext_noop("The number of steps"),
    gettext_noop("The guidance"),
    gettext_noop("The guidance rescale"),
    gettext_noop("The strength"),
    gettext_noop("The prompt"),
    gettext_noop("The negative prompt"),
)
"""What takes the place of ``what`` above."""

_PLACE = re.compile(r"%\((\w+)\)([sd])")
_NEXT_REASON = re.compile(r" (?=“[^”]*” is not allowed\.)")


def in_reader_language(text: str) -> str:
    """Return a stored English sentence in the active language, its values unchanged."""
    if len(text) > LONGEST:
        return text
    for sentence, pattern, numbers in _patterns():
        if match := pattern.fullmatch(text):
            values = {
                name: int(value) if name in numbers else _value(name, value)
                for name, value in match.groupdict().items()
            }
            return _(sentence) % values if values else _(sentence)
    return text


def _value(name: str, text: str) -> str:
    if name == "reasons":
        return " ".join(map(in_reader_language, _NEXT_REASON.split(text)))
    if name == "explanation":
        return in_reader_language(text)
    return _(text) if name == "what" and text in NOUNS else text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], frozenset[str]], ...]:
    groups = (
        PROGRESS, POLICY, FAILURES, REQUESTS, EDITS, MODELS, ENGINES, ENGINES_ELSEWHERE,
        IMPORTS, REGISTERING,
    )  # fmt: skip
    return tuple((sentence, *_pattern(sentence)) for group in groups for sentence in group)


def _pattern(sentence: str) -> tuple[re.Pattern[str], frozenset[str]]:
    """What the sentence looks like with values in it, and which of those are numbers."""
    literal = _PLACE.split(sentence)
    parts, numbers = [re.escape(literal[0])], set()
    for name, kind, text in zip(literal[1::3], literal[2::3], literal[3::3], strict=True):
        value = ".+?"
        if kind == "d":
            numbers.add(name)
            value = r"\d{1,20}"
        parts.append(f"(?P<{name}>{value}){re.escape(text)}")
    return re.compile("".join(parts), re.DOTALL), frozenset(numbers)
