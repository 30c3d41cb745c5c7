"""Letters that the PDF's built-in fonts have, and the nearest ones for those they have not."""

from __future__ import annotations

import unicodedata

_NEAR = str.maketrans({
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n",
    "→": "->", "−": "-", "\u2011": "-", "\u202f": " ", "\t": " ",
})  # fmt: skip


def printable(text: str) -> str:
    """Return `text` in Windows-1252: other letters lose their accents, the rest become `?`."""
    return "".join(letter(sign) for sign in unicodedata.normalize("NFC", text).translate(_NEAR))


def letter(sign: str) -> str:
    """Return one sign that can be printed."""
    if sign == "\n" or (sign.isprintable() and is_known(sign)):
        return sign
    plain = unicodedata.normalize("NFKD", sign)
    kept = "".join(part for part in plain if part.isprintable() and is_known(part))
    return kept or ("?" if sign.isprintable() else "")


def is_known(sign: str) -> bool:
    """Say whether the built-in fonts have this sign."""
    try:
        sign.encode("windows-1252")
    except UnicodeEncodeError:
        return False
    return True
