"""The proof as a page: one A4 sheet, the same bytes again, whatever the letters."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlmodel import select

from hub.driving.words import Report
from hub.errors import Missing
from hub.hub import Hub
from hub.proofs import handover, pdf, uploads
from hub.proofs.sheet import sheet, summary
from hub.proofs.type import printable
from hub.store import Merchant, OrderLineRow, OrderRow, ProofRow, StopRow, System
from hub.testing.road import Road


def picture(form: str = "JPEG", size: tuple[int, int] = (640, 480)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, (90, 120, 90)).save(file, form)
    return file.getvalue()


def proven(hub: Hub, road: Road, kind: str = "complete", photos: int = 1, **more: Any) -> ProofRow:
    files = [
        uploads.upload(hub, road.driver, "photo", picture(size=(640, 400 + number)))
        for number in range(photos)
    ]
    files.append(uploads.upload(hub, road.driver, "signature", picture("PNG", (600, 200))))
    said = Report.model_validate({
        "id": uuid4(), "kind": kind, "stop": road.stops[0], "lat": 47.1417, "lon": 9.5216,
        "accuracy": 7, "files": [{"kind": f.kind, "sha256": f.sha256} for f in files], **more,
    })  # fmt: skip
    with hub.store.write(System()) as session:
        handover.report(hub, session, road.driver, said)
    with hub.store.read(System()) as session:
        return session.exec(select(ProofRow)).one()


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def test_a_proof_is_one_page(hub: Hub, road: Road) -> None:
    row = proven(hub, road, received_by="Rosa Beck", note="at the back door", cash_taken="12.50")
    content = hub.files.get(pdf.pdf(hub, System(), row.id))
    assert content.startswith(b"%PDF-")
    assert pages(content) == 1


def test_the_page_is_made_once(hub: Hub, road: Road) -> None:
    row = proven(hub, road)
    first = pdf.pdf(hub, System(), row.id)
    made_at = hub.files.path(first).stat().st_mtime_ns
    assert pdf.pdf(hub, System(), row.id) == first
    assert hub.files.path(first).stat().st_mtime_ns == made_at


def test_a_page_that_was_lost_is_made_again(hub: Hub, road: Road) -> None:
    row = proven(hub, road)
    first = pdf.pdf(hub, System(), row.id)
    hub.files.path(first).unlink()
    assert hub.files.path(pdf.pdf(hub, System(), row.id)).exists()


def test_many_lines_photos_and_foreign_letters_still_fit_one_page(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[0])
        order = session.get_one(OrderRow, stop.order)
        order.name = "Γιώργος Dvořák 北京 " + "x" * 300
        order.address = {"line1": "Łódź " * 60, "city": "Vaduz"}
        for number in range(3, 60):
            name = f"Línea 北 {number} " + "y" * 150
            session.add(OrderLineRow(order=order.id, number=number, name=name, quantity=3))
    row = proven(hub, road, "fail", photos=8, reason="other", note="a\nb\n" * 200)
    content = hub.files.get(pdf.pdf(hub, System(), row.id))
    assert pages(content) == 1


def test_another_merchant_sees_no_page(hub: Hub, road: Road) -> None:
    row = proven(hub, road)
    with pytest.raises(Missing):
        pdf.pdf(hub, Merchant("mer_other"), row.id)


def test_letters_lose_their_accents_only_where_the_font_lacks_them() -> None:
    assert printable("Zoë Štefan – 5 €") == "Zoë Štefan – 5 €"
    assert printable("Dvořák, Łódź") == "Dvorák, Lódz"
    assert printable("北京\x07") == "??"


def test_the_summary_is_one_short_sentence(hub: Hub, road: Road) -> None:
    row = proven(hub, road, received_by="Rosa Beck", cash_taken="12.50")
    with hub.store.read(System()) as session:
        text = summary(sheet(session, row.id))
    assert text == (
        "Delivered on 23.11.2026 at 08:00, 3 of 3 pieces, received by Rosa Beck, CHF 12.50 in cash."
    )


def test_a_failed_stop_says_why_in_its_summary(hub: Hub, road: Road) -> None:
    row = proven(hub, road, "fail", reason="not_home")
    with hub.store.read(System()) as session:
        assert summary(sheet(session, row.id)) == (
            "Not delivered on 23.11.2026 at 08:00, nobody at home."
        )
