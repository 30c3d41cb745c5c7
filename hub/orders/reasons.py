"""Why a delivery did not happen, or only in part: the codes that phones send and boards count."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "not_home": "Nobody at home",
    "cant_find_address": "Cannot find the address",
    "no_access": "No access (gate, door, lift)",
    "refused": "Recipient refuses it",
    "damaged": "Goods are damaged",
    "package_not_available": "Goods are not on the van",
    "no_time": "No time left today",
    "other": "Something else (write it down)",
}
"""Code -> what the driver reads; `other` needs a note."""


def label(code: str) -> str:
    """Return a reason in words, or the code itself if it is from another time."""
    return REASONS.get(code, code).removesuffix(" (write it down)")
