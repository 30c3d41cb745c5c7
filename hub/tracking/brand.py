"""A merchant's colour, made readable: contrast is computed after WCAG 2.2, section 1.4.3."""

from __future__ import annotations

import re

READABLE = 4.5
"""Contrast that text needs against what it stands on."""
LIGHT_GROUND, DARK_GROUND = "#f4f5f6", "#1b1e21"
BLACK, WHITE = "#101214", "#ffffff"
PLAIN = "#1f6feb"
"""For a merchant whose colour is no colour."""


def style(accent: str) -> str:
    """Return the style sheet that gives a page the merchant's colour, in light and in dark."""
    colour = accent if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else PLAIN
    light, dark = readable(colour, LIGHT_GROUND, BLACK), readable(colour, DARK_GROUND, WHITE)
    soft_light, soft_dark = mix(colour, WHITE, 0.88), mix(colour, DARK_GROUND, 0.8)
    return (
        ":root {\n"
        f"  --brand: {colour};\n"
        f"  --brand-ink: {ink(colour)};\n"
        f"  --accent: light-dark({light}, {dark});\n"
        f"  --accent-ink: light-dark({ink(light)}, {ink(dark)});\n"
        f"  --accent-soft: light-dark({soft_light}, {soft_dark});\n"
        "}\n"
    )


def ink(ground: str) -> str:
    """Return white or near-black, whichever can be read on `ground`; white where both can."""
    return WHITE if contrast(WHITE, ground) >= READABLE else BLACK


def readable(colour: str, ground: str, towards: str) -> str:
    """Return `colour`, moved as little as needed until text in it can be read on `ground`."""
    for step in range(21):
        moved = mix(colour, towards, step / 20)
        if contrast(moved, ground) >= READABLE:
            return moved
    return towards


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours: 1 (the same) to 21 (black on white)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1."""
    red, green, blue = (linear(part / 255) for part in parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: float) -> float:
    """Return the light behind one sRGB channel."""
    light: float = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    return light


def mix(colour: str, towards: str, share: float) -> str:
    """Return `colour` with `share` (0 to 1) of another in it."""
    pairs = zip(parts(colour), parts(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def parts(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
