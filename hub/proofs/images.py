"""Pictures from phones: checked before they are decoded, then written anew without their past."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from hub.errors import Refused

if TYPE_CHECKING:
    from PIL.Image import Image

Kind = Literal["photo", "signature"]
LARGEST: Final = 10_000_000
"""Bytes of an upload."""
PIXELS: Final = 25_000_000
"""Width times height that may be decoded: a small file can hold a very large picture."""
EDGE: Final = 1_600
"""Pixels of the longer edge of what is kept."""
FORMATS: Final = ("JPEG", "PNG", "WEBP")


class TooLarge(Refused):
    """Say that a picture has more bytes or pixels than the hub takes."""


@dataclass(frozen=True)
class Picture:
    """A picture as it is kept."""

    content: bytes
    media_type: str
    width: int
    height: int


def clean(content: bytes, kind: Kind) -> Picture:
    """Return `content` as a fresh JPEG (photo) or PNG (signature) of at most 1,600 pixels a side.

    What the camera wrote beside the pixels (place, owner, comments, anything after the picture's
    end) is gone. Raise `TooLarge` or `Refused`, whatever was sent.
    """
    if len(content) > LARGEST:
        megabytes = len(content) / 1e6
        raise TooLarge(f"the picture has {megabytes:.0f} MB; at most 10 MB are taken", "file")
    if not content:
        raise Refused("the picture is empty; take it again", "file")
    return encode(read(content), kind)


def read(content: bytes) -> Image:
    """Return the decoded picture, upright; raise `Refused` for what is none."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(content), formats=FORMATS)
            check_pixels(*picture.size)
            picture.draft("RGB", (EDGE, EDGE))
            picture.load()
            return ImageOps.exif_transpose(picture)
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        raise TooLarge("the picture has too many pixels; at most 25 million", "file") from error
    except MemoryError as error:
        raise TooLarge("the picture is too large for this machine", "file") from error
    except Exception as error:  # decoders raise anything at all on hostile or broken input
        raise Refused(
            "this is no whole JPEG, PNG or WebP picture; take the photo again", "file"
        ) from error


def check_pixels(width: int, height: int) -> None:
    """Raise `TooLarge` for a picture that would fill the memory."""
    if width * height > PIXELS:
        raise TooLarge(
            f"the picture has {width} x {height} pixels; at most 25 million are taken", "file"
        )


def encode(picture: Image, kind: Kind) -> Picture:
    """Return the pixels of `picture`, and nothing else, on white and shrunk to fit."""
    from PIL import Image

    if picture.mode not in ("RGB", "RGBA", "L", "LA"):
        picture = picture.convert("RGBA")
    picture.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    plain = Image.new("RGB", picture.size, "white")
    if picture.mode in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
        plain.paste(picture, mask=picture.getchannel("A"))
    else:
        plain.paste(picture.convert("RGB"))
    file = BytesIO()
    if kind == "signature":
        plain.convert("L").save(file, "PNG", optimize=True)
    else:
        plain.save(file, "JPEG", quality=82, optimize=True, progressive=True)
    media_type = "image/png" if kind == "signature" else "image/jpeg"
    return Picture(file.getvalue(), media_type, *plain.size)
