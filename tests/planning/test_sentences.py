"""Every turn has its words, in every language, and they say what is known."""

from __future__ import annotations

import re
from itertools import product
from typing import get_args

import pytest

from hub.nouns import Maneuver, Way, WayLeg
from hub.nouns.ways import Heading, Turn
from hub.planning.phrases import LANGUAGES, language
from hub.planning.sentences import ordinal, sentence, sentences

TURNS = list(product(get_args(Turn), get_args(Heading)))
TAGS = sorted(LANGUAGES)


def words(template: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", template))


def maneuver(kind: str, heading: str = "", **known: object) -> Maneuver:
    return Maneuver.model_validate(
        {"kind": kind, "heading": heading, "lat": 47.1, "lon": 9.5, **known}
    )


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(("kind", "heading"), TURNS)
def test_every_turn_has_a_sentence_with_what_is_known_of_it(
    tag: str, kind: str, heading: str
) -> None:
    bare = sentence(maneuver(kind, heading), language(tag))
    assert bare
    assert not set("[]{}") & set(bare)
    assert not re.search(r"\s\s|\s$|\s,|,$", bare)
    assert bare[0].isupper()
    full = maneuver(kind, heading, street="Äulestrasse", toward="Chur", exit=2)
    told = sentence(full, language(tag))
    assert not set("[]{}") & set(told)
    if kind != "arrive":
        assert "Äulestrasse" in told
        assert "Chur" in told
    if kind.endswith("roundabout"):
        assert ordinal(2, language(tag)) in told


@pytest.mark.parametrize("tag", TAGS)
def test_left_and_right_are_told_apart(tag: str) -> None:
    for kind in ("turn", "fork", "end_of_road", "on_ramp", "off_ramp", "merge", "arrive"):
        told = {sentence(maneuver(kind, side), language(tag)) for side in ("left", "right")}
        assert len(told) == 2, kind


def test_the_languages_have_the_same_sentences_with_the_same_words() -> None:
    english = LANGUAGES["en"]
    for tag, other in LANGUAGES.items():
        assert other.sentences.keys() == english.sentences.keys(), tag
        assert other.headings.keys() == english.headings.keys(), tag
        for name, template in english.sentences.items():
            assert words(other.sentences[name]) == words(template), (tag, name)


def test_every_sentence_is_for_a_turn() -> None:
    for name in LANGUAGES["en"].sentences:
        kind, _, rest = name.partition(".")
        assert kind in get_args(Turn)
        assert rest in {*get_args(Heading), "heading", "exit"}


@pytest.mark.parametrize(
    ("tag", "told", "text"),
    [
        ("en", maneuver("turn", "left", street="High Street"), "Turn left onto High Street"),
        ("de", maneuver("turn", "left", street="Hauptgasse"), "Links abbiegen auf Hauptgasse"),
        (
            "en",
            maneuver("roundabout", "right", exit=3, street="A1", toward="Bern"),
            "Roundabout: take the 3rd exit onto A1 toward Bern",
        ),
        ("de-CH", maneuver("roundabout", exit=7), "Im Kreisel die 7. Ausfahrt nehmen"),
        ("en-GB", maneuver("roundabout", exit=12), "Roundabout: take the 12th exit"),
        ("de_AT", maneuver("arrive", "right"), "Ziel erreicht, auf der rechten Seite"),
        ("rm", maneuver("depart"), "Set off"),
        ("en", maneuver("depart", street="{street} [Lane]"), "Set off along {street} [Lane]"),
    ],
)
def test_sentences_read_like_this(tag: str, told: Maneuver, text: str) -> None:
    assert sentence(told, language(tag)) == text


def test_the_steps_of_a_way_say_on_which_leg_they_lie() -> None:
    leg = WayLeg(
        seconds=9,
        metres=90,
        maneuvers=(
            maneuver("depart", street="Ring", metres=90, seconds=9),
            maneuver("arrive", "left"),
        ),
    )
    steps = sentences(Way(legs=(leg, leg)), "en")
    assert [(step.leg, step.text) for step in steps] == [
        (0, "Set off along Ring"),
        (0, "You are there, on the left"),
        (1, "Set off along Ring"),
        (1, "You are there, on the left"),
    ]
    assert (steps[0].metres, steps[0].seconds, steps[0].lat, steps[0].lon) == (90, 9, 47.1, 9.5)
