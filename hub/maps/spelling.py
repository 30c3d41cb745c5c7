"""One spelling for the many ways in which people write an address."""

from __future__ import annotations

import re
import unicodedata

SHORT = {
    "strasse": "str", "street": "st", "saint": "st", "sainte": "ste", "sankt": "st", "avenue": "av",
    "ave": "av", "avenida": "av", "boulevard": "bd", "boul": "bd", "blvd": "bd", "bvd": "bd",
    "road": "rd", "rue": "r", "rua": "r", "place": "pl", "platz": "pl", "praca": "pl",
    "plaza": "pl", "piazza": "pl", "square": "sq", "lane": "ln", "drive": "dr", "court": "ct",
    "chemin": "ch",
    "route": "rte", "quai": "q", "allee": "al", "impasse": "imp", "passage": "pass",
    "professor": "prof", "doktor": "dr", "doutor": "dr", "docteur": "dr", "general": "gen",
    "mount": "mt", "north": "n", "south": "s", "east": "e", "west": "w", "und": "u", "and": "u",
}  # fmt: skip
"""Long word -> how it is written short; both then read alike."""
TAILS = (("strasse", "str"), ("stras", "str"), ("stra", "str"), ("gass", "gasse"), ("platz", "pl"))
"""Ends of words that are written short as well: Bahnhofstrasse, Bahnhofstr."""
NUMBER = r"\d+\s*[a-zA-Z]?(?:\s*[/\-+;]\s*\d*\s*[a-zA-Z]?)?"
WORD = re.compile(r"[^\W_]+")
"""Letters and digits of any script."""
SIGN = r"(?:n[r°ºo]?\.?\s*|#\s*)?"
TAIL = re.compile(rf"^(?P<street>.*?[^\W\d].*?)[\s,]+{SIGN}(?P<number>{NUMBER})$", re.IGNORECASE)
HEAD = re.compile(r"^(?P<number>\d+\s*(?:bis|ter|[a-zA-Z])?)[\s,]+(?P<street>.*[^\W\d].*)$")


def folded(text: str) -> str:
    """Return a text in plain small letters: Straße -> strasse, Büchel and Buechel -> buchel."""
    text = text.casefold().replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("œ", "oe")
    text = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return text.replace("ae", "a").replace("oe", "o").replace("ue", "u")


def key(text: str) -> str:
    """Return how a street or a town is filed: one word, abbreviations written out alike."""
    words = WORD.findall(folded(text))
    return "".join(shortened(word) for word in words)


def long_key(text: str) -> str:
    """Return a street or town in full letters, to be compared with one that is misspelt."""
    words = WORD.findall(folded(text))
    return "".join(re.sub(r"str(a|as)?$", "strasse", word) for word in words)


def shortened(word: str) -> str:
    """Return a folded word in its short form."""
    if word in FOLDED:
        return FOLDED[word]
    for tail, short in TAILS:
        if len(word) > len(tail) + 1 and word.endswith(tail):
            return word[: -len(tail)] + short
    return word


FOLDED = {folded(word): folded(short) for word, short in SHORT.items()}


def number_key(number: str) -> str:
    """Return a house number without spaces and in lower case."""
    return re.sub(r"[\s.]", "", number).lower()


def split(line: str) -> list[tuple[str, str]]:
    """Return the ways to read a line as (street, house number), the likeliest first.

    `Städtle 15`, `15, rue Grimaldi`, `Landstrasse 219 A, 2. Stock` and `Städtle` are all read.
    """
    line = " ".join(line.replace(" ", " ").split()).strip(" ,.;")
    found: list[tuple[str, str]] = []
    parts = [part.strip() for part in line.split(",") if part.strip()]
    heads = [line, *([parts[0], ", ".join(parts[:2])] if len(parts) > 1 else [])]
    for head in heads:
        for pattern in (TAIL, HEAD):
            match = pattern.match(head)
            if match:
                found.append((match["street"].strip(" ,"), number_key(match["number"])))
    found += [(head, "") for head in (*heads[1:2], line)]
    return list(dict.fromkeys(found))


def distance(one: str, other: str, most: int) -> int:
    """Return how many letters differ (Damerau-Levenshtein, adjacent swaps), or `most` + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i] + [0] * len(other)
        for j, beside in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != beside))
            swapped = i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == beside
            if swapped:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return row[-1]
