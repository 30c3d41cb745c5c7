"""Pictures are checked before they are decoded and come out without their past."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from hub.errors import Refused
from hub.proofs.images import EDGE, TooLarge, clean


def jpeg(width: int = 60, height: int = 40, **more: object) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, "JPEG", **more)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def test_a_photo_becomes_a_jpeg_of_at_most_1600_pixels() -> None:
    made = clean(jpeg(3000, 2000), "photo")
    assert made.media_type == "image/jpeg"
    assert opened(made.content).size == (EDGE, 1067)


def test_place_and_comment_of_the_camera_are_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Cameramaker"
    exif.get_ifd(0x8825)[1] = "N"
    made = clean(jpeg(exif=exif, comment=b"Cameracomment"), "photo")
    assert not opened(made.content).getexif()
    assert b"Camera" not in made.content


def test_a_photo_taken_on_its_side_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(clean(jpeg(60, 40, exif=exif), "photo").content).size == (40, 60)


def test_what_hangs_behind_the_picture_is_gone() -> None:
    made = clean(jpeg() + b"PK\x03\x04<script>alert(1)</script>", "photo")
    assert b"script" not in made.content


def test_a_signature_lies_on_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (300, 100), (0, 0, 0, 0)).save(file, "PNG")
    made = clean(file.getvalue(), "signature")
    assert made.media_type == "image/png"
    assert opened(made.content).convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_mode_of_picture_is_taken(mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (50, 50)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    assert clean(file.getvalue(), "photo").width == 50


def test_webp_is_taken() -> None:
    file = BytesIO()
    Image.new("RGB", (50, 50)).save(file, "WEBP")
    assert clean(file.getvalue(), "photo").media_type == "image/jpeg"


def test_the_same_photo_comes_out_the_same() -> None:
    assert clean(jpeg(), "photo") == clean(jpeg(), "photo")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("edge", [5_001, 13_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(edge: int) -> None:
    with pytest.raises(TooLarge, match="25 million"):
        clean(bomb(edge, edge), "photo")


def test_more_than_ten_megabytes_are_refused() -> None:
    with pytest.raises(TooLarge, match="10 MB"):
        clean(jpeg() + bytes(10_000_000), "photo")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, this is text called photo.jpg",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7 ...",
        b"GIF89a" + bytes(100),
        jpeg(400, 400)[:500],
        bomb(100, 100),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"RIFF\x00\x00\x00\x10WEBPVP8 ",
        b"\xff\xd8\xff\xe0" + b"\x00" * 10,
    ],
    ids=["empty", "text", "svg", "pdf", "gif", "cut", "short", "png", "webp", "jpeg"],
)
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match=r"picture|photo"):
        clean(content, "photo")
