"""The proof as one A4 page: made on demand, kept as a file, the same page every time."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from hub.hub import Hub
from hub.nouns import Json
from hub.proofs.sheet import Picture, ProofSheet, sheet
from hub.proofs.type import printable
from hub.store import Principal, ProofRow

if TYPE_CHECKING:
    from fpdf import FPDF

LEFT, WIDTH = 18, 174
"""Millimetres of A4."""
INK, GREY, RULE = (28, 32, 36), (104, 112, 120), (216, 220, 224)
COLOURS = {"completed": (26, 127, 55), "partial": (154, 103, 0), "failed": (190, 38, 40)}
LINES_SHOWN = 10
PHOTOS_SHOWN = 3


def pdf(hub: Hub, principal: Principal, proof: str) -> str:
    """Return the hash of the proof's PDF in the file store, made now if it is not there.

    Slow when it has to be made (some 0.1 s), and it opens sessions of its own: call it outside
    any transaction. Raise `Missing` for a proof that `principal` may not see.
    """
    with hub.store.read(principal) as session:
        found = sheet(session, proof)
        row = session.get_one(ProofRow, proof)
        known = row.pdf
    if known and hub.files.path(known).exists():
        return known
    photos = {p.sha256: hub.files.get(p.sha256) for p in found.pictures}
    made = hub.files.put(draw(found, photos))
    with hub.store.write(principal) as session:
        session.get_one(ProofRow, proof).pdf = made
    return made


def draw(found: ProofSheet, photos: dict[str, bytes]) -> bytes:
    """Return the page as a PDF document; `photos` holds the pictures by hash."""
    from fpdf import FPDF

    page = FPDF(format="A4")
    page.core_fonts_encoding = "windows-1252"
    page.set_auto_page_break(False)
    page.set_margins(LEFT, 0)
    page.c_margin = 0
    page.set_title(printable(f"Proof of delivery {found.order}"))
    page.set_author(printable(found.merchant))
    page.set_creation_date(found.at)
    page.add_page()
    draw_head(page, found)
    draw_facts(page, found)
    draw_lines(page, found.record["lines"])
    draw_pictures(page, found, photos)
    draw_foot(page, found)
    return bytes(page.output())


def draw_head(page: FPDF, found: ProofSheet) -> None:
    """Draw whose delivery it is, of which order, and what came of it."""
    page.set_fill_color(*colour(found.accent))
    page.rect(0, 0, 210, 5, style="F")
    page.set_y(14)
    write(page, found.merchant, 13, "B", width=WIDTH / 2)
    page.set_xy(LEFT + WIDTH / 2, 14)
    write(page, "Proof of delivery", 10, tint=GREY, width=WIDTH / 2, align="R")
    page.set_xy(LEFT, 26)
    write(page, found.headline, 24, "B", tint=COLOURS[found.outcome], height=11)
    when = f"{found.at:%A, %d %B %Y, %H:%M} ({found.at:%Z})"
    write(page, when, 12, height=7)
    if found.reason:
        write(page, found.reason, 11, tint=GREY, height=6)
    page.ln(4)


def draw_facts(page: FPDF, found: ProofSheet) -> None:
    """Draw names and places in two columns."""
    for name, value in facts(found):
        if not value:
            continue
        top = page.get_y()
        page.set_x(LEFT)
        write(page, name, 9, tint=GREY, width=36, height=6)
        page.set_xy(LEFT + 36, top)
        page.set_font("helvetica", "", 10)
        page.set_text_color(*INK)
        lines = page.multi_cell(
            WIDTH - 36, 5.2, printable(value), dry_run=True, output="LINES", align="L"
        )
        page.multi_cell(
            WIDTH - 36, 5.2, "\n".join(lines[:3]), align="L", new_x="LMARGIN", new_y="NEXT"
        )
        page.ln(0.8)
    page.ln(3)


def facts(found: ProofSheet) -> list[tuple[str, str]]:
    """Return what the page says in words."""
    record = found.record
    return [
        ("Order", found.order),
        ("Invoice", found.invoice),
        ("For", ", ".join(part for part in (found.name, found.address) if part)),
        ("Received by", found.received_by),
        ("Note", found.note),
        ("Cash", cash_words(record["cash"])),
        ("Place", place_words(record["place"])),
        ("Recorded", f"{record['received_at']} by the hub"),
    ]


def cash_words(cash: Json | None) -> str:
    """Return what was to be collected and what was."""
    if cash is None:
        return ""
    taken = f"{cash['currency']} {cash['taken'] or '0.00'} taken"
    return f"{taken}, {cash['due']} due" if cash["due"] else taken


def place_words(place: Json | None) -> str:
    """Return where the phone was, and how far that is from the address."""
    if place is None:
        return "the phone did not say where it was"
    sharp = "" if place["accuracy_m"] is None else f" (within {place['accuracy_m']} m)"
    return f"{place['lat']}, {place['lon']}{sharp}, {place['distance_m']} m from the address"


def draw_lines(page: FPDF, lines: list[Json]) -> None:
    """Draw the articles with what was ordered and what was handed over."""
    if not lines:
        return
    columns = ((104, "L", "Article"), (34, "R", "Ordered"), (36, "R", "Handed over"))
    for width, align, title in columns:
        write(page, title, 9, tint=GREY, width=width, align=align, height=6, stay=True)
    page.ln(6)
    for line in lines[:LINES_SHOWN]:
        rule(page)
        page.set_x(LEFT)
        write(page, fit(page, line["name"], 102), 10, width=104, height=6.4, stay=True)
        write(page, str(line["ordered"]), 10, width=34, align="R", height=6.4, stay=True)
        short = line["handed_over"] < line["ordered"]
        write(
            page, str(line["handed_over"]), 10, "B" if short else "",
            width=36, align="R", height=6.4, stay=True,
        )  # fmt: skip
        page.ln(6.4)
    if len(lines) > LINES_SHOWN:
        rest = len(lines) - LINES_SHOWN
        write(page, f"and {rest} more in the record", 9, tint=GREY, height=6)
    rule(page)
    page.ln(6)


def draw_pictures(page: FPDF, found: ProofSheet, photos: dict[str, bytes]) -> None:
    """Draw the photos side by side and the signature below, in the room that is left."""
    taken = [p for p in found.pictures if p.kind == "photo"]
    signed = [p for p in found.pictures if p.kind == "signature"]
    room = 262 - page.get_y() - (34 if signed else 0)
    if taken and room > 20:
        draw_row(page, taken[:PHOTOS_SHOWN], photos, min(room, 74))
    if signed:
        write(page, "Signature", 9, tint=GREY, height=5)
        place(page, photos[signed[0].sha256], LEFT, page.get_y(), 70, 24)
        page.set_y(page.get_y() + 26)
    left_out = len(taken) - PHOTOS_SHOWN
    if left_out > 0:
        write(page, f"{left_out} more photos are kept with the record", 9, tint=GREY, height=5)


def draw_row(page: FPDF, taken: list[Picture], photos: dict[str, bytes], height: float) -> None:
    """Draw photos beside each other."""
    top, width = page.get_y(), (WIDTH - 4 * (PHOTOS_SHOWN - 1)) / PHOTOS_SHOWN
    if len(taken) == 1:
        width = WIDTH / 2
    for index, picture in enumerate(taken):
        place(page, photos[picture.sha256], LEFT + index * (width + 4), top, width, height)
    page.set_xy(LEFT, top + height + 4)


def place(page: FPDF, content: bytes, x: float, y: float, width: float, height: float) -> None:
    """Draw a picture into a box, whole and undistorted, at its upper left."""
    from PIL import Image

    with Image.open(BytesIO(content)) as picture:
        ratio = picture.width / picture.height
    fitted = min(width, height * ratio)
    page.image(BytesIO(content), x, y, w=fitted, h=fitted / ratio)
    page.set_draw_color(*RULE)
    page.rect(x, y, fitted, fitted / ratio)


def draw_foot(page: FPDF, found: ProofSheet) -> None:
    """Draw what makes the page checkable, and what it does not claim."""
    page.set_y(270)
    rule(page)
    page.ln(1.5)
    write(page, f"Record {found.number} of {found.merchant}, proof {found.id}", 8, tint=GREY,
          height=4)  # fmt: skip
    page.set_font("courier", "", 8)
    page.cell(WIDTH, 4, f"SHA-256 {found.sha256}", new_x="LMARGIN", new_y="NEXT")
    words = (
        "The record lists the hash of every picture and of the record before it. Positions and "
        "times are what the phone and the hub reported."
    )
    write(page, words, 8, tint=GREY, height=4)


def write(
    page: FPDF,
    text: str,
    size: float,
    style: str = "",
    *,
    tint: tuple[int, int, int] = INK,
    width: float = WIDTH,
    height: float = 7,
    align: str = "L",
    stay: bool = False,
) -> None:
    """Write one line of text and go to the next line, or stay in this one."""
    page.set_font("helvetica", style, size)
    page.set_text_color(*tint)
    x, y = ("RIGHT", "TOP") if stay else ("LMARGIN", "NEXT")
    page.cell(width, height, fit(page, text, width), align=align, new_x=x, new_y=y)


def fit(page: FPDF, text: str, width: float) -> str:
    """Return `text` cut to `width` millimetres."""
    text = printable(text).replace("\n", " ")
    if page.get_string_width(text) <= width - 2:
        return text
    while text and page.get_string_width(text + "...") > width - 2:
        text = text[:-1]
    return text + "..."


def rule(page: FPDF) -> None:
    """Draw a thin line across."""
    page.set_draw_color(*RULE)
    page.line(LEFT, page.get_y(), LEFT + WIDTH, page.get_y())


def colour(accent: str) -> tuple[int, int, int]:
    """Return `#rrggbb` as numbers; a grey for anything else."""
    digits: Any = accent.removeprefix("#")
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        return GREY
    return red, green, blue
