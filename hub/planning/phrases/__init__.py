"""What is said to a driver at each corner, a table per language.

A sentence is found by what has to be done and where to (`turn.left`), else by the first with any
side (`turn.heading`) or with a known exit (`roundabout.exit`), else by the first alone (`turn`). In
it `{heading}` is a word of `HEADINGS`, `{street}` the road that is taken, `{toward}` what the
signpost says, `{exit}` a word of `ORDINALS`. What stands in square brackets is left out where one
of its words is not known. A new language is one module with the same three names, and a line in
`LANGUAGES`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.planning.phrases import de, en


@dataclass(frozen=True)
class Language:
    """The words of one language."""

    sentences: dict[str, str]
    headings: dict[str, str]
    ordinals: tuple[str, ...]
    """First, second ...; the last one has `{number}` for all that follow."""


LANGUAGES = {
    "en": Language(en.SENTENCES, en.HEADINGS, en.ORDINALS),
    "de": Language(de.SENTENCES, de.HEADINGS, de.ORDINALS),
}


def language(tag: str) -> Language:
    """Return the words for a language tag such as `de-CH`; English where there are none."""
    return LANGUAGES.get(tag.replace("_", "-").partition("-")[0].lower(), LANGUAGES["en"])
