"""Short sentences composed of facts, by the grammar of each language; no model writes them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from imagepipe.delivery import scenes
from imagepipe.registry.kinds import Kind
from imagepipe.registry.models import RegisteredModel
from imagepipe.seo.alt_text.captioner import Caption, Words
from imagepipe.seo.alt_text.facts import Facts
from imagepipe.seo.alt_text.grammar import Grammar, grammar_of, sentence
from imagepipe.seo.alt_text.phrases import NounPhrase, Phrase, read_phrase
from imagepipe.seo.alt_text.recognition import Recogniser
from imagepipe.seo.alt_text.vocabulary import vocabulary

logger = logging.getLogger("imagepipe.seo")
SLUG = "composed"
VERSION = "1"
PROMPT_LANGUAGE = "en"
MAX_LENGTH = 250
_PEOPLE = frozenset({"person", "man", "woman", "child"})


def build() -> Composed:
    allowed = RegisteredModel.objects.filter(
        kind=Kind.CLIP.value, state=RegisteredModel.State.ALLOWED
    )
    model = allowed.order_by("-pk").first()
    return Composed(None if model is None else Recogniser.of(model))


@dataclass
class Composed:
    """``recogniser`` None: nothing is looked for in the pixels but faces."""

    recogniser: Recogniser | None = None
    slug: str = SLUG

    @property
    def identity(self) -> str:
        seen = self.recogniser.identity if self.recogniser else ""
        return f"{self.slug}/{VERSION}/{scenes.FINDER}/{seen}"

    def caption(self, content: bytes, facts: Facts, language: str) -> Caption:
        grammar = grammar_of(language)
        if grammar is None:
            return Caption("", reason="no-grammar")
        if facts.subject:
            return _of_prompt(facts, language, grammar)
        return self._of_photograph(content, facts, language, grammar)

    def _of_photograph(
        self, content: bytes, facts: Facts, language: str, grammar: Grammar
    ) -> Caption:
        parts: list[Words] = []
        read = None
        if _same(language, facts.language) and facts.title:
            parts.append(Words(facts.title_source, facts.title))
        elif _same(facts.language, PROMPT_LANGUAGE):
            read = read_phrase(facts.title)
            if read is not None:
                parts.append(Words(facts.title_source, grammar.phrase(read)))
        thing = self._recognised(content, facts)
        said = read_phrase(facts.title)
        if thing is not None and not (said and said.head.noun.name == thing):
            noun = vocabulary().nouns[thing]
            parts.append(Words("recognised", grammar.thing(NounPhrase(noun))))
        if _same(language, facts.language):
            said_so_far = " ".join(part.text.lower() for part in parts)
            tags = (tag for tag in facts.tags if tag.lower() not in said_so_far)
            parts += [Words("tag", tag) for tag in tags]
        faces = len(scenes.known_scene(facts.version).faces)
        if faces and thing not in _PEOPLE and not _names_people(facts.title, grammar):
            parts.append(Words("faces", grammar.people(faces)))
        if not parts:
            return Caption("", reason="no-facts")
        text = sentence([part.text for part in parts])[:MAX_LENGTH]
        is_weak = thing is None
        return Caption(text, (*parts, *_confirmed(facts, language)), is_weak=is_weak)

    def _recognised(self, content: bytes, facts: Facts) -> str | None:
        if self.recogniser is None:
            return None
        mentioned = {
            noun
            for place in facts.places
            if (grammar := grammar_of(place.language)) is not None
            for noun in _mentions(place.text, grammar)
        }
        return self.recogniser.recognise(content, mentioned)


def _of_prompt(facts: Facts, language: str, grammar: Grammar) -> Caption:
    """A picture that was asked for shows what was asked for, as people who accepted it saw."""
    phrase = read_phrase(facts.subject)
    if phrase is not None:
        said = _said(phrase, language, grammar, facts.subject)
    elif _same(language, PROMPT_LANGUAGE):
        said = facts.subject
    else:
        return Caption("", reason="other-language")
    text = sentence([said])
    if len(text) > MAX_LENGTH:
        text = text[:MAX_LENGTH].rsplit(" ", 1)[0]
    return Caption(text, (Words("prompt", facts.subject), *_confirmed(facts, language)))


def _said(phrase: Phrase, language: str, grammar: Grammar, subject: str) -> str:
    """In English the author's own words, if they begin as a sentence does."""
    has_article = subject.lower().startswith(("a ", "an ", "the ", "two ", "three "))
    if _same(language, PROMPT_LANGUAGE) and has_article:
        return subject
    return grammar.phrase(phrase)


def _confirmed(facts: Facts, language: str) -> tuple[Words, ...]:
    """Pages in this language that speak of what the title says."""
    words = {word.lower() for word in facts.title.split() if len(word) > 3}
    return tuple(
        Words("page", place.title)
        for place in facts.places[:1]
        if words and _same(place.language, language) and words & _tokens(place.text)
    )


def _mentions(text: str, grammar: Grammar) -> set[str]:
    tokens = _tokens(text)
    return {noun for word, noun in grammar.words.items() if word in tokens}


def _names_people(title: str, grammar: Grammar) -> bool:
    return bool(_mentions(title, grammar) & _PEOPLE)


def _tokens(text: str) -> set[str]:
    return {word.strip(".,;:!?“”„()\"'").lower() for word in text.split()}


def _same(one: str, other: str) -> bool:
    return one.lower().partition("-")[0] == other.lower().partition("-")[0]
