from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagepipe.prompts import exceptions, rendering
from imagepipe.prompts.models import SEGMENTS, PromptTemplate

HOSTILE = [
    "{subject.__class__}",
    "{subject!r}",
    "{subject:>100000000}",
    "{0}",
    "{}",
    "{subject[0]}",
    "{Subject}",
    "{subject",
    "subject}",
    "{sub ject}",
]
words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=40)


def template(**values: object) -> PromptTemplate:
    return PromptTemplate(**({"name": "T", "slug": "t"} | values))


def test_segments_are_joined_with_the_subject_first_and_empty_ones_left_out():
    made = template(
        subject="a {animal}",
        style="watercolour",
        light="  ",
        lens="85 mm,",
        negative="no {animal}",
    )
    rendered = rendering.render(made, {"animal": "fox"}, max_length=2000)
    assert rendered.prompt == "a fox, watercolour, 85 mm"
    assert rendered.negative == "no fox"
    assert rendered.variables == (("animal", "fox"),)


def test_every_segment_appears_in_its_order():
    made = template(**{segment: segment for segment in SEGMENTS})
    assert rendering.render(made, {}, max_length=2000).prompt == ", ".join(SEGMENTS)
    assert rendering.ORDER[0] == "subject"


def test_variables_are_listed_in_order_once():
    made = template(subject="{b} and {a} and {b}", negative="{c} {{not}}")
    assert rendering.find_variables(made) == ("b", "a", "c")


@pytest.mark.parametrize("text", HOSTILE)
def test_anything_but_a_plain_variable_is_refused(text: str):
    with pytest.raises(exceptions.InvalidTemplate, match="not a variable"):
        rendering.render(template(subject=text), {"subject": "x"}, max_length=2000)


@pytest.mark.parametrize("text", [*HOSTILE, "{subject}", "{{subject}}", "%s", "$subject"])
def test_values_are_inserted_literally(text: str):
    rendered = rendering.render(template(), {"subject": text}, max_length=2000)
    assert rendered.prompt == text


def test_a_missing_variable_is_named():
    with pytest.raises(exceptions.MissingVariable, match="“animal”, “place”") as caught:
        rendering.render(template(subject="{animal} in {place}"), {}, max_length=2000)
    assert caught.value.names == ("animal", "place")


def test_defaults_and_choices_are_honoured():
    made = template(
        subject="{animal}",
        variables=[{"name": "animal", "default": "fox", "choices": ["fox", "owl"]}],
    )
    assert rendering.render(made, {}, max_length=2000).prompt == "fox"
    assert rendering.render(made, {"animal": "owl"}, max_length=2000).prompt == "owl"
    with pytest.raises(exceptions.InvalidValue, match="Choose one of: fox, owl"):
        rendering.render(made, {"animal": "wolf"}, max_length=2000)


@pytest.mark.parametrize("variables", [None, {}, "x", [1], [{"name": 3}], [{"nome": "a"}]])
def test_malformed_declarations_do_no_harm(variables: object):
    made = template(variables=variables)
    assert rendering.render(made, {"subject": "x"}, max_length=2000).prompt == "x"


@pytest.mark.parametrize("value", [3, ["x"], {"a": 1}, "\ud800"])
def test_values_that_are_not_text_are_refused(value: object):
    with pytest.raises(exceptions.InvalidValue, match="must be text"):
        rendering.render(template(), {"subject": value}, max_length=2000)


def test_unknown_variables_are_refused():
    with pytest.raises(exceptions.UnknownVariable, match="“colour”"):
        rendering.render(template(), {"subject": "x", "colour": "red"}, max_length=2000)


@pytest.mark.parametrize("value", ["", "   ", "\n\t", "\u200b", ",,"])
def test_an_empty_prompt_is_refused(value: str):
    with pytest.raises(exceptions.EmptyPrompt, match="Say what the picture shall show"):
        rendering.render(template(), {"subject": value}, max_length=2000)


def test_a_prompt_of_50000_characters_is_refused_with_both_numbers():
    with pytest.raises(exceptions.PromptTooLong, match="50000 characters; at most 2000"):
        rendering.render(template(), {"subject": "x" * 50_000}, max_length=2000)


def test_control_characters_become_spaces():
    rendered = rendering.render(template(), {"subject": "a\nb\x00c\u202ed"}, max_length=2000)
    assert rendered.prompt == "a b c d"


def test_the_fingerprint_follows_the_texts():
    assert rendering.fingerprint(template()) == rendering.fingerprint(template(name="other"))
    assert rendering.fingerprint(template()) != rendering.fingerprint(template(light="dusk"))


@given(value=words.filter(lambda text: text.strip(", ") and text.split()))
def test_any_words_arrive_unchanged_but_for_spacing(value: str):
    rendered = rendering.render(template(), {"subject": value}, max_length=2000)
    assert rendered.prompt == " ".join(value.split()).strip(", ")


@given(text=st.text(max_size=60))
def test_rendering_any_template_text_either_works_or_says_why(text: str):
    made = template(subject=text, composition="x")
    try:
        names = rendering.find_variables(made)
        rendered = rendering.render(made, dict.fromkeys(names, "v"), max_length=2000)
    except exceptions.PromptError as error:
        assert str(error)
    else:
        assert rendered.prompt.endswith("x")
