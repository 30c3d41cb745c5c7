"""How many parts of a text message a text takes (3GPP TS 23.038): each is paid for by itself."""

from __future__ import annotations

from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The basic alphabet: one unit each."""
EXTENDED = frozenset("\f^{}\\[~]|€")
"""Its extension: two units each, which stay together in one part."""
ALONE = {"GSM-7": 160, "UCS-2": 70}
TOGETHER = {"GSM-7": 153, "UCS-2": 67}
"""Units of a part where there are several: a header joins them."""


@dataclass(frozen=True)
class Segments:
    """What a text takes."""

    encoding: str
    """GSM-7, or UCS-2 as soon as one letter is not in its alphabet."""
    units: int
    parts: int
    left: int
    """Units that the last part has room for."""
    odd: str = ""
    """The letters because of which it is UCS-2, each once."""

    def __str__(self) -> str:
        parts = f"{self.parts} part{'' if self.parts == 1 else 's'}"
        because = f" because of {' '.join(self.odd)}" if self.odd else ""
        return f"{parts}, {self.encoding}{because}, {self.left} left"


def segments(text: str) -> Segments:
    """Return what `text` takes; an empty one takes a part as well."""
    odd = "".join(dict.fromkeys(letter for letter in text if letter not in GSM | EXTENDED))
    encoding = "UCS-2" if odd else "GSM-7"
    widths = [width(letter, encoding) for letter in text]
    units = sum(widths)
    if units <= ALONE[encoding]:
        return Segments(encoding, units, 1, ALONE[encoding] - units, odd)
    parts, used = 1, 0
    for one in widths:  # what takes two units is never cut in two
        if used + one > TOGETHER[encoding]:
            parts, used = parts + 1, 0
        used += one
    return Segments(encoding, units, parts, TOGETHER[encoding] - used, odd)


def width(letter: str, encoding: str) -> int:
    """Return how many units a letter takes."""
    if encoding == "UCS-2":
        return 2 if ord(letter) > 0xFFFF else 1
    return 2 if letter in EXTENDED else 1
