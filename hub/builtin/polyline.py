"""Lines packed into text: the encoded polyline format that routing services share."""

from __future__ import annotations


def unpack(text: str, digits: int = 6) -> list[tuple[float, float]]:
    """Return the (lat, lon) of an encoded polyline (Google's algorithm, `digits` decimals).

    Each number is the difference to the one before it, in groups of five bits, the lowest first;
    its lowest bit is the sign. Raises `ValueError` for what is no such text.
    """
    numbers: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 63
        if not 0 <= bits < 64:
            raise ValueError("a line holds a letter that no line has")
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(numbers) % 2:
        raise ValueError("a line ends in the middle of a point")
    scale = 10.0**digits
    line, lat, lon = [], 0, 0
    for north, east in zip(numbers[::2], numbers[1::2], strict=True):
        lat, lon = lat + north, lon + east
        line.append((lat / scale, lon / scale))
    return line
