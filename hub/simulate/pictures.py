"""Draw what a simulated phone takes: a photo of a parcel at a door, and a signature."""

from __future__ import annotations

import io
import random


def photo(text: str, seed: int) -> bytes:
    """Return a small JPEG of a parcel at a door with `text` on its label."""
    from PIL import Image, ImageDraw

    dice = random.Random(seed)
    wall = tuple(dice.randint(120, 215) for _ in range(3))
    door = tuple(dice.randint(40, 130) for _ in range(3))
    image = Image.new("RGB", (640, 480), wall)
    draw = ImageDraw.Draw(image)
    left = dice.randint(190, 260)
    draw.rectangle((0, 420, 640, 480), fill=(118, 112, 104))
    draw.rectangle((left, 60, left + 190, 420), fill=door, outline=(30, 30, 30), width=4)
    draw.ellipse((left + 158, 240, left + 174, 256), fill=(214, 190, 110))
    side = dice.randint(90, 140)
    x = left + dice.randint(-60, 90)
    box = (x, 440 - side, x + side, 440)
    draw.rectangle(box, fill=(176, 132, 84), outline=(96, 66, 36), width=3)
    draw.rectangle((x + 14, 452 - side, x + side - 14, 480 - side), fill=(245, 243, 238))
    draw.text((x + 20, 458 - side), text, fill=(20, 20, 20))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def signature(seed: int) -> bytes:
    """Return a PNG of a scribble."""
    from PIL import Image, ImageDraw

    dice = random.Random(seed)
    image = Image.new("RGB", (480, 160), "white")
    draw = ImageDraw.Draw(image)
    points, y = [], 80.0
    for x in range(40, 440, 9):
        y = min(130, max(30, y + dice.uniform(-34, 34)))
        points.append((x, y))
    draw.line(points, fill=(16, 24, 64), width=4, joint="curve")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
