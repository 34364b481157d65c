"""What engines elsewhere and fallbacks say in English, for readers of other languages."""

from __future__ import annotations

from django.utils.translation import gettext_noop

ENGINES_ELSEWHERE = (
    gettext_noop(
        "The engine at %(origin)s answered with %(kind)s instead of JSON. Check its "
        "address."
    ),
    gettext_noop("The engine at %(origin)s answered with damaged JSON."),
    gettext_noop("The engine at %(origin)s cannot be reached."),
    gettext_noop("The engine at %(origin)s broke off its answer."),
    gettext_noop(
        "The engine at %(origin)s answered in a compressed form that was not asked for."
    ),
    gettext_noop("The engine at %(origin)s answered with more than %(limit)s MB."),
    gettext_noop("The engine at %(origin)s did not answer within %(seconds)s seconds."),
    gettext_noop("The engine at %(origin)s does not accept the key. Enter it anew."),
    gettext_noop(
        "The engine at %(origin)s sends to another address, which is not followed. "
        "Correct its address."
    ),
    gettext_noop("The engine at %(origin)s has too much to do."),
    gettext_noop("The engine at %(origin)s has not enough memory. Choose a smaller size."),
    gettext_noop("The engine at %(origin)s failed (%(status)s). %(detail)s"),
    gettext_noop("The engine at %(origin)s refused (%(status)s). %(detail)s"),
    gettext_noop("The engine sent no picture."),
    gettext_noop("The engine sent a damaged picture."),
    gettext_noop("The engine sent something that is not a picture."),
    gettext_noop("The engine has no model “%(model)s”."),
    gettext_noop(
        "“%(found)s” in the prompt would load a file of the engine. Choose adapters in "
        "their own field."
    ),
    gettext_noop(
        "“embedding:” in the prompt would load a file of the engine. Choose adapters in "
        "their own field."
    ),
    gettext_noop("The engine answered with something else than a picture."),
    gettext_noop("The engine did not say how the picture was made."),
    gettext_noop("The engine used the seed %(seed)s instead of %(asked)s."),
    gettext_noop("The engine did not say which seed it used."),
    gettext_noop("This engine needs a prompt of at most 32,000 characters."),
    gettext_noop(
        "The engine answered with an address elsewhere instead of a picture. Set its "
        "option response_format to “b64_json”."
    ),
    gettext_noop("The mask is too detailed: it has more than 4 MB."),
    gettext_noop("This engine takes no seed: the picture cannot be made a second time."),
    gettext_noop("This workflow takes no seed: the picture cannot be made a second time."),
    gettext_noop("The engine changed the prompt to: %(prompt)s"),
    gettext_noop("The engine did not say where it put a picture."),
    gettext_noop("The engine did not say under which id it works."),
    gettext_noop("The engine lost the job; it was probably restarted."),
    gettext_noop("The engine ended the job and does not know it any more."),
    gettext_noop("Somebody stopped the work at the engine itself."),
    gettext_noop("The engine has not enough memory. Choose a smaller size."),
    gettext_noop("The node “%(node)s” of the workflow failed: %(error)s"),
    gettext_noop("The engine failed and did not say why."),
    gettext_noop("The engine “%(name)s” is disabled."),
    gettext_noop(
        "The key of the engine cannot be opened with the key file of this installation. "
        "Enter it anew."
    ),
    gettext_noop("%(size)s is not possible here. Possible are: %(known)s."),
    gettext_noop("The negative prompt was left out."),
    gettext_noop("The guidance rescale was left out."),
    gettext_noop("The scheduler “%(scheduler)s” was replaced by the engine's own."),
    gettext_noop("Instead of %(asked)s steps %(made)s were made."),
    gettext_noop("Adapters were left out."),
    gettext_noop("Reference pictures were left out."),
    gettext_noop("The picture was made at %(size)s instead of %(asked)s."),
    gettext_noop("“%(model)s” could not be asked: %(reason)s. “%(spare)s” made the picture."),
    gettext_noop("The engine “%(engine)s” cannot be used: %(reason)s. %(error)s"),
)
