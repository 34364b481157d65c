"""What registering a model says in English, for readers of other languages."""

from __future__ import annotations

from django.utils.translation import gettext_noop

REGISTERING = (
    gettext_noop("Looking at the model"),
    gettext_noop("Fetching %(size)s from the hub"),
    gettext_noop("Who asked for it may not register models."),
    gettext_noop(
        "The folder is not below one that the setting MODEL_FOLDERS names. Put the model "
        "there, or register it with “manage.py imagepipe register-model”."
    ),
    gettext_noop(
        "“%(id)s” may not be fetched: the setting HUB_MODELS does not name it. Add it there, "
        "or copy the model into a folder and register that."
    ),
    gettext_noop("The card of “%(id)s” names no licence. Read its terms and say it yourself."),
    gettext_noop("The hub does not answer. Try again later."),
    gettext_noop("The hub does not say which commit the revision is."),
    gettext_noop("The model has %(found)s bytes; the setting HUB_MAX_BYTES allows %(most)s."),
    gettext_noop("%(name)s was not fetched whole. Try again."),
    gettext_noop("The download ended early. Try again."),
    gettext_noop("huggingface_hub is not installed: add the extra “diffusers”."),
    gettext_noop(
        "The hub does not give “%(id)s”: there is no such model, or its conditions have to be "
        "accepted there first and a token set as HF_TOKEN."
    ),
    gettext_noop("The hub does not have this revision of “%(id)s”."),
    gettext_noop("The hub could not be read (%(reason)s). Try again later."),
    gettext_noop("There is no folder “%(folder)s”."),
    gettext_noop("The folder holds code (%(name)s), which is never run."),
    gettext_noop("%(name)s is not safetensors. Convert the weights and remove the file."),
    gettext_noop("The folder holds no weights (no .safetensors file)."),
    gettext_noop("The repository holds no weights as safetensors."),
    gettext_noop("The weights are there in these variants only: %(names)s."),
    gettext_noop("%(name)s names code of its own, which is never run."),
)
