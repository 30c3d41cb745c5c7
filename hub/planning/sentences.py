"""What a driver reads at each corner: maneuvers of a way as sentences of a language."""

from __future__ import annotations

import re

from hub.nouns import Maneuver, Noun, Way
from hub.planning.phrases import Language, language

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


class Step(Noun):
    """One line of the list of turns, and where it applies."""

    text: str
    metres: int
    """Until the next one."""
    seconds: int
    lat: float
    lon: float
    leg: int
    """To which point of the trip it leads, from 0: the first leg leads to the second point."""


def sentences(way: Way, tag: str = "en") -> list[Step]:
    """Return the steps of a way in a language (`en`, `de-CH`; English for one without words)."""
    words = language(tag)
    return [
        Step(
            text=sentence(maneuver, words),
            metres=maneuver.metres,
            seconds=maneuver.seconds,
            lat=maneuver.lat,
            lon=maneuver.lon,
            leg=number,
        )
        for number, leg in enumerate(way.legs)
        for maneuver in leg.maneuvers
    ]


def sentence(maneuver: Maneuver, words: Language) -> str:
    """Return one maneuver in words; names that the map says stand in them as they are."""
    known = {
        "heading": words.headings.get(maneuver.heading, ""),
        "street": maneuver.street,
        "toward": maneuver.toward,
        "exit": ordinal(maneuver.exit, words) if maneuver.exit else "",
    }

    def kept(found: re.Match[str]) -> str:
        part = found[1]
        return part if all(known[name] for name in re.findall(r"\{(\w+)\}", part)) else ""

    template = _OPTIONAL.sub(kept, template_for(maneuver, words))
    text = template.format_map(known)
    return text[:1].upper() + text[1:]


def template_for(maneuver: Maneuver, words: Language) -> str:
    """Return the sentence for what is done and where to, else for what is done alone."""
    names = [f"{maneuver.kind}.{maneuver.heading}"]
    if maneuver.heading in words.headings:
        names.append(f"{maneuver.kind}.heading")
    if maneuver.exit:
        names.append(f"{maneuver.kind}.exit")
    return next(
        (words.sentences[name] for name in names if name in words.sentences),
        words.sentences[maneuver.kind],
    )


def ordinal(number: int, words: Language) -> str:
    """Return which exit it is, in words."""
    last = len(words.ordinals) - 1
    return words.ordinals[min(number - 1, last)].format(number=number)
